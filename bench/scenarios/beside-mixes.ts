import { describeTokens } from '../inputs/describe-tokens.js';
import type { Findings, ScenarioContext } from '../scenario.js';
import {
  type BesideRounds,
  besideChart,
  besideNumbers,
  type Contender,
  compareWithFirst,
  IN_FLIGHT,
  takeTurns,
} from './beside.js';

/**
 * The contenders on every length mix asked for, each against the first.
 *
 * @param chartTitle what the chart says above itself
 */
export async function besideOnMixes(
  context: ScenarioContext,
  chartTitle: string,
  contenders: readonly Contender[],
): Promise<Findings> {
  const byLabel = new Map<string, BesideRounds>();
  const facts: Record<string, string> = {};
  for (const mix of context.mixes) {
    const texts = await context.inputs.mix(mix, context.texts);
    facts[`texts of the ${mix} mix`] = describeTokens(await context.inputs.statistics(texts));
    byLabel.set(`${mix} mix`, await takeTurns(context, contenders, texts, mix));
  }
  return {
    measurements: [...byLabel].flatMap(([label, rounds]) => compareWithFirst(contenders, rounds, label)),
    rounds: besideNumbers(byLabel),
    facts,
    charts: [
      besideChart(
        chartTitle,
        `${context.models.name}, ${context.threads} threads, ${IN_FLIGHT} texts in flight, no cache`,
        byLabel,
        contenders,
      ),
    ],
  };
}
