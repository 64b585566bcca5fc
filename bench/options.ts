import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Bar, bars } from './bars.js';
import {
  type ModelName,
  modelNames,
  type PrecisionChoice,
  precisions,
  usualPrecision,
} from './bench-models.js';
import { oneOf, positive } from './flag-values.js';
import { type MixName, mixNames } from './inputs/inputs.js';
import type { Baseline, Peers, Scenario } from './scenario.js';
import { BenchUsageError } from './usage-error.js';

/** What the command line asks for. */
export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  readonly model: ModelName;
  readonly precision: PrecisionChoice;
  readonly rounds: number;
  readonly texts: number;
  readonly threads: number;
  readonly durationMs: number | undefined;
  readonly soakMs: number | undefined;
  readonly mixes: readonly MixName[];
  readonly short: boolean;
  readonly publish: boolean;
  readonly dataFolder: string;
  readonly outFolder: string;
  readonly peers: Peers;
  readonly baseline: Baseline;
  /** The command line again, for a scenario of it, without what is as by default. */
  readonly flags: string;
}

const flagOptions = {
  model: { type: 'string' },
  precision: { type: 'string' },
  rounds: { type: 'string' },
  texts: { type: 'string' },
  threads: { type: 'string' },
  seconds: { type: 'string' },
  'soak-minutes': { type: 'string' },
  mix: { type: 'string' },
  short: { type: 'boolean' },
  publish: { type: 'boolean' },
  data: { type: 'string' },
  out: { type: 'string' },
  tei: { type: 'string' },
  oip: { type: 'string' },
  'oip-model': { type: 'string' },
  'oip-input': { type: 'string' },
  baseline: { type: 'string' },
  python: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** These say where things are on one machine: a published command does not repeat them. */
const LOCAL_FLAGS = ['data', 'out', 'publish', 'baseline', 'python'];

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export function usage(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length)) + 2;
  return `npm run bench -- <scenario ...>|all [options]
npm run bench -- profile --help

${scenarios.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join('\n')}

  --model NAME      ${modelNames.join(', ')} (default: base, made on first use; with --short: sentiment)
  --precision NAME  ${precisions.join(', ')} (default: fp32 of base, int8 of the others), for scenarios that do not choose
  --rounds N        times that the contenders take turns (default: 5)
  --texts N         texts of one pass (default: 512)
  --threads N       threads of a session, server and reference alike (default: one per core)
  --seconds N       length of one pass of open-loop, overload, mixed, and at least of event-loop (default: 5 to 30)
  --soak-minutes N  length of each of the two passes of memory (default: 10)
  --mix NAME        ${mixNames.join(', ')} (default: both)
  --short           every scenario once and tiny: proves that it works, measures nothing
  --publish         write the results into docs/benchmarks/ and docs/benchmarks.md
  --data FOLDER     holds sst2/ and banking77/ (default: ../shared/data; else sentences are generated)
  --out FOLDER      for result files (default: bench/results)
  --tei ADDRESS     host:port of a server that speaks text-embeddings-inference's Predict, to be measured beside
  --oip ADDRESS     one that speaks the Open Inference Protocol: host:port for gRPC, http://host:port for HTTP
  --oip-model NAME  its model (default: the one of --model)
  --oip-input NAME  the input tensor of that model (default: text)
  --baseline FOLDER holds the FastAPI baseline's server.py (default: ../shared/baselines/fastapi)
  --python FILE     a Python that has the baseline's requirements (default: .venv/bin/python)`;
}

/**
 * @returns `help` where that is asked for
 * @throws BenchUsageError that says what is wrong
 */
export function parseOptions(args: readonly string[], known: readonly Scenario[]): BenchOptions | 'help' {
  const { values, positionals } = parse(args);
  if (values.help === true) return 'help';
  const short = values.short ?? false;
  const publish = values.publish ?? false;
  const scenarios = chooseScenarios(positionals, known);
  const model = oneOf('model', values.model ?? (short ? 'sentiment' : 'base'), modelNames);
  if (publish) checkPublishable(scenarios, { model, short, mix: values.mix });
  return {
    scenarios,
    model,
    precision: oneOf('precision', values.precision ?? usualPrecision(model), precisions),
    rounds: positive('rounds', values.rounds ?? (short ? '1' : '5')),
    texts: positive('texts', values.texts ?? (short ? '32' : '512')),
    threads: positive('threads', values.threads ?? String(availableParallelism())),
    durationMs: span('seconds', values.seconds, 1_000),
    soakMs: span('soak-minutes', values['soak-minutes'], 60_000),
    mixes: values.mix === undefined ? mixNames : [oneOf('mix', values.mix, mixNames)],
    short,
    publish,
    dataFolder: values.data ?? fromRoot('../shared/data'),
    outFolder: values.out ?? fromRoot('bench/results'),
    peers: {
      tei: values.tei ?? '',
      oip: values.oip ?? '',
      oipModel: values['oip-model'] ?? '',
      oipInput: values['oip-input'] ?? 'text',
    },
    baseline: {
      folder: values.baseline ?? fromRoot('../shared/baselines/fastapi'),
      python: values.python ?? fromRoot('.venv/bin/python'),
    },
    flags: Object.entries(values)
      .filter(([name]) => !LOCAL_FLAGS.includes(name))
      .map(([name, value]) => (value === true ? ` --${name}` : ` --${name} ${value}`))
      .join(''),
  };
}

/** A published result stands for the whole scenario, measured with the model that its bars speak of. */
function checkPublishable(
  scenarios: readonly Scenario[],
  { model, short, mix }: { model: ModelName; short: boolean; mix: string | undefined },
): void {
  if (short) throw new BenchUsageError('--short measures nothing that could be published');
  if (mix !== undefined) throw new BenchUsageError('--publish needs both mixes');
  const other = scenarios.find((scenario) =>
    scenario.bars.some((id) => {
      const bar: Bar = bars[id];
      return bar.model !== undefined && bar.model !== model;
    }),
  );
  if (other !== undefined) throw new BenchUsageError(`the bars of ${other.name} are not for ${model}`);
}

function span(flag: string, value: string | undefined, unitMs: number): number | undefined {
  return value === undefined ? undefined : unitMs * positive(flag, value);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: flagOptions });
  } catch (error) {
    throw new BenchUsageError(error instanceof Error ? error.message : String(error));
  }
}

function chooseScenarios(names: readonly string[], known: readonly Scenario[]): readonly Scenario[] {
  if (names.length === 0) throw new BenchUsageError("name a scenario, or 'all'");
  if (names.includes('all')) return known;
  return names.map((name) => {
    const scenario = known.find((candidate) => candidate.name === name);
    if (scenario === undefined) throw new BenchUsageError(`there is no scenario '${name}'`);
    return scenario;
  });
}
