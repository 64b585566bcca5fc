import { alternate } from '../alternate.js';
import type { BarId } from '../bars.js';
import type { Protocol, Target } from '../load/clients/make-text-client.js';
import { type AnsweredPass, TextLoad } from '../load/text-load.js';
import type { Chart } from '../report/chart.js';
import { formatNumber } from '../report/format-value.js';
import type { Measurement, ScenarioContext } from '../scenario.js';
import { median, quantile, ratios } from '../statistics.js';

/** Texts under way at any time, for every contender. */
export const IN_FLIGHT = 32;

/** One way to get texts classified. */
export interface Contender {
  /** In words, as results and charts show it. */
  readonly title: string;
  readonly protocol: Protocol;
  readonly address: string;
  /** The model's name there. */
  readonly model: string;
  readonly input?: string;
  /** Bar of its throughput against the peer's. */
  readonly bar?: BarId;
}

/** What contenders did, round by round. */
export type BesideRounds = readonly Readonly<Record<string, AnsweredPass>>[];

/**
 * Lets servers of any protocol take turns with the same texts, the same load generator and as many texts in flight;
 * where Verdict is one of them, its cache is left out.
 */
export async function takeTurns(
  context: ScenarioContext,
  contenders: readonly Contender[],
  texts: readonly string[],
  label: string,
): Promise<BesideRounds> {
  const passes: Record<string, () => Promise<AnsweredPass>> = {};
  for (const { title, ...rest } of contenders) {
    const target: Target = { ...rest, bypassCache: true, maxInFlight: IN_FLIGHT };
    const load = await TextLoad.start(context.processes, target, texts);
    passes[title] = () => load.pass({ inFlight: IN_FLIGHT });
  }
  return alternate(passes, { ...context, describe: (pass) => `(${label}) ${describeTextPass(pass)}` });
}

/** Each contender's throughput and p99 latency against the first one's. */
export function compareWithFirst(
  [peer, ...others]: readonly Contender[],
  rounds: BesideRounds,
  label: string,
): Measurement[] {
  if (peer === undefined) return [];
  const rates = (title: string) => rounds.map((round) => round[title]?.textsPerSecond ?? Number.NaN);
  const tails = (title: string) => rounds.map((round) => quantile(round[title]?.latenciesMs ?? [], 0.99));
  return others.flatMap(({ title, bar }) => [
    {
      name: `${label}, ${IN_FLIGHT} in flight: ${title} / ${peer.title}, throughput`,
      unit: 'x',
      values: ratios(rates(title), rates(peer.title)),
      reference: rates(peer.title),
      ...(bar === undefined ? {} : { bar }),
    },
    {
      name: `${label}, ${IN_FLIGHT} in flight: ${title} / ${peer.title}, p99 latency`,
      unit: 'x',
      values: ratios(tails(title), tails(peer.title)),
      reference: tails(peer.title),
    },
  ]);
}

/** Throughput of all, per label (a length mix, say). */
export function besideChart(
  title: string,
  subtitle: string,
  byLabel: ReadonlyMap<string, BesideRounds>,
  contenders: readonly Contender[],
): Chart {
  return {
    kind: 'bars',
    name: '',
    title,
    subtitle,
    valueAxis: 'texts/s',
    categories: [...byLabel.keys()],
    series: contenders.map((contender) => ({
      name: contender.title,
      values: [...byLabel.values()].map((rounds) =>
        median(rounds.map((round) => round[contender.title]?.textsPerSecond ?? Number.NaN)),
      ),
    })),
  };
}

/** The numbers of each round for the result file. */
export function besideNumbers(byLabel: ReadonlyMap<string, BesideRounds>): Record<string, number>[] {
  const results: Record<string, number>[] = [];
  for (const [label, rounds] of byLabel) {
    for (const [i, round] of rounds.entries()) {
      const numbers = results[i] ?? {};
      results[i] = numbers;
      for (const [title, pass] of Object.entries(round)) {
        numbers[`${label}, ${title}, texts/s`] = pass.textsPerSecond;
        numbers[`${label}, ${title}, p50 ms`] = quantile(pass.latenciesMs, 0.5);
        numbers[`${label}, ${title}, p99 ms`] = quantile(pass.latenciesMs, 0.99);
      }
    }
  }
  return results;
}

/** For the terminal. */
export function describeTextPass(pass: AnsweredPass): string {
  return `${formatNumber(pass.textsPerSecond)} texts/s, p99 ${formatNumber(quantile(pass.latenciesMs, 0.99))} ms`;
}
