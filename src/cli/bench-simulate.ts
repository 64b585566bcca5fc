import { highestRate, PromiseCount } from '../simulation/highest-rate.js';
import type { TracedInput } from '../simulation/replay.js';
import type { Command } from './command.js';
import { withClient } from './connection-flags.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { widthOf } from './output/table.js';
import { checkLoad, type Machine, maxItems, simulate } from './simulate/plan.js';
import { type PolicyChoice, readCurve, readPolicies } from './simulate/read-options.js';
import { readTrace } from './simulate/read-trace.js';
import { type PolicyReport, reportTables } from './simulate/report-tables.js';
import { SIMULATE_FLAGS, type SimulateValues } from './simulate/simulate-flags.js';
import { UsageError } from './usage-error.js';

/** About a DistilBERT-base model in fp32 on two CPU cores. */
const DEFAULT_CURVE = '4,0.55,0.0002';
const DEFAULT_BUDGET_TOKENS = 512;
/** Arrivals of each step of a search: one in a hundred of them is still a hundred. */
const SEARCH_ITEMS = 10_000;

export const benchSimulate: Command = {
  name: 'bench simulate',
  usage: '[flags]',
  description:
    "Runs the server's own batcher on a virtual clock, with sessions that take the time that a cost curve predicts.\n" +
    'Simulates minutes of traffic in seconds, to compare policies and to plan capacity. A pipe gets a JSON object per\n' +
    'line for each policy.',
  flags: SIMULATE_FLAGS,
  examples: [
    'bench simulate --streams 1 --in-flight 32 --lengths wide --policy length,fifo:8,window:32',
    'bench simulate --rate 40 --deadline-ms 500 --streams 4',
    'bench simulate --p99-ms 250 --runners 2',
    'bench simulate --model sentiment --trace arrivals.jsonl --speed 2',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(SIMULATE_FLAGS, argv);
    if (positionals.length > 0) throw new UsageError('this command takes no arguments');
    checkLoad(values);
    const choices = readPolicies(values.policy ?? 'length');
    const trace = values.trace === undefined ? [] : await readTrace(values.trace, values.model);
    if (values.model === undefined || values.curve !== undefined) {
      return simulateAll(values, machineOf(values), choices, trace, context);
    }
    return withClient(values, context, async (client) => {
      const { name, versions, servingVersion } = await client.getModel(values.model ?? '', {
        signal: context.interruption(),
      });
      const serving = versions.find(({ version }) => version === servingVersion);
      if (serving === undefined) throw new UsageError(`--model: no version of ${name} is serving`);
      const { cost, limits, instances } = serving;
      const machine = { curve: cost, budgetTokens: limits.batchBudgetTokens, runners: instances };
      return simulateAll(values, machineOf(values, machine), choices, trace, context);
    });
  },
};

function machineOf(values: SimulateValues, model?: Machine): Machine {
  return {
    curve:
      values.curve === undefined && model !== undefined
        ? model.curve
        : readCurve(values.curve ?? DEFAULT_CURVE),
    budgetTokens: values['budget-tokens'] ?? model?.budgetTokens ?? DEFAULT_BUDGET_TOKENS,
    runners: values.runners ?? model?.runners ?? 1,
  };
}

async function simulateAll(
  values: SimulateValues,
  machine: Machine,
  choices: readonly PolicyChoice[],
  trace: readonly TracedInput[],
  context: CliContext,
): Promise<number> {
  const signal = context.interruption();
  const reports: PolicyReport[] = [];
  try {
    for (const choice of choices) {
      const searched =
        values['p99-ms'] === undefined ? undefined : await search(values, machine, choice, signal);
      const report = await simulate(searched ?? values, machine, choice, trace, signal);
      const { policy } = choice;
      reports.push({
        policy,
        maxItems: maxItems(values, choice),
        ...(searched === undefined ? {} : { rate: searched.rate ?? 0 }),
        ...report,
      });
    }
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  }
  const { stdout } = context;
  const asTable = !values.json && stdout.isTTY === true;
  const lines = asTable
    ? reportTables(reports, widthOf(stdout))
    : reports.map((report) => JSON.stringify({ ...report, seed: values.seed ?? 1, ...machine }));
  await LineWriter.print(stdout, lines);
  return EXIT.ok;
}

/** The flags with the highest rate that keeps the promise. */
async function search(
  values: SimulateValues,
  machine: Machine,
  choice: PolicyChoice,
  signal: AbortSignal,
): Promise<SimulateValues> {
  const at = (rate: number): SimulateValues => ({ ...values, rate, items: values.items ?? SEARCH_ITEMS });
  const rate = await highestRate(async (candidate) => {
    const count = new PromiseCount({ withinMs: values['p99-ms'] ?? 0, share: 0.99 });
    await simulate(at(candidate), machine, choice, [], signal, {
      onEnd: (arrival, answer, latencyMs) => count.add(arrival, answer, latencyMs),
    });
    return count.isKept;
  }, 1);
  if (rate > 0) return at(rate);
  throw new UsageError(`--p99-ms ${values['p99-ms']} cannot be met: even a single input takes longer`);
}
