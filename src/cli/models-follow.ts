import { basename, resolve } from 'node:path';
import type { FollowEvent, FollowedSource, FollowOutcome } from '../app/follow-models.js';
import { ownModelsDir } from '../config.js';
import { modelNamePattern } from '../models/model-name.js';
import { createLogger } from '../telemetry/logger.js';
import type { Log } from '../telemetry/types.js';
import type { Command } from './command.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { precisionOf } from './precision.js';
import { sourceAccess } from './source-access.js';
import { UsageError } from './usage-error.js';

const DEFAULT_INTERVAL_S = 30;
/** A timer of more than 24 days would fire at once. */
const LONGEST_INTERVAL_S = 86_400;

const LEVELS = {
  published: 'info',
  unchanged: 'info',
  recovered: 'info',
  refused: 'error',
  unreachable: 'warn',
  failed: 'error',
} as const;

const MESSAGES = {
  published: 'a version is published',
  unchanged: 'the source holds nothing new',
  recovered: 'the source can be read again',
  refused: 'a model does not pass, and is not published',
  unreachable: 'the source cannot be read',
  failed: 'the models folder cannot be written to',
} as const;

const FLAGS = {
  'interval-s': {
    kind: 'number',
    value: 'SECONDS',
    min: 1,
    help: `how long to wait between two looks at a source; default: ${DEFAULT_INTERVAL_S}`,
  },
  once: { kind: 'switch', help: 'look at each source once, and end' },
  path: {
    kind: 'text',
    value: 'FOLDER',
    help: 'the folder of each source that holds the model; default: its root, or the only folder that does',
  },
  'models-dir': {
    kind: 'text',
    value: 'DIR',
    help: "the folder to publish to; default: VERDICT_MODELS_DIR, else the server's own",
  },
  precision: {
    kind: 'list',
    value: 'PRECISION',
    help: 'the weights to take: fp32, int8 or fp16; may be repeated; default: what the server would choose from',
  },
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
} as const;

export const modelsFollow: Command = {
  name: 'models follow',
  usage: '[NAME=]SOURCE ... [flags]',
  description:
    'Looks at each source again and again, and publishes what is new there as the next version of its model, checked as\n' +
    'models add does. A server with VERDICT_MODELS_WATCH=on takes it over. Prints a line for each change, and goes on\n' +
    'while a registry is away. Sources are those of models add, but for the path of a folder: file:///folder. Ends with 0\n' +
    'on SIGTERM or Ctrl-C. With --once it ends with 1 if a model does not pass, 3 if a registry did not answer, and 74 if\n' +
    'a file cannot be written.',
  flags: FLAGS,
  examples: [
    'models follow mlflow://sentiment@champion',
    'models follow topics=s3://models/team/topics mlflow://sentiment@champion --interval-s 10',
    'models follow mlflow://sentiment@champion --once',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const sources = sourcesIn(positionals);
    const intervalS = values['interval-s'] ?? DEFAULT_INTERVAL_S;
    if (intervalS > LONGEST_INTERVAL_S)
      throw new UsageError(`--interval-s must be ${LONGEST_INTERVAL_S} or less; got ${intervalS}`);
    const { stderr } = context;
    const { followModels, UnusableSourceError } = await import('../app/follow-models.js');
    const output = eventOutput(context, values.json);
    const signal = context.interruption();
    try {
      const outcomes = await followModels({
        sources,
        modelsDir: resolve(values['models-dir'] ?? context.env('VERDICT_MODELS_DIR') ?? ownModelsDir),
        path: values.path,
        precisions: values.precision.map(precisionOf),
        access: sourceAccess((name) => context.env(name)),
        intervalMs: intervalS * 1000,
        once: values.once,
        signal,
        onEvent: output.tell,
      });
      if (!values.once) return EXIT.ok;
      return signal.aborted ? EXIT.interrupted : exitCodeOf(outcomes);
    } catch (error) {
      if (!(error instanceof UnusableSourceError)) throw error;
      stderr.write(`verdict models follow: ${error.message}\n`);
      return EXIT.usage;
    } finally {
      await output.close();
    }
  },
};

function sourcesIn(positionals: readonly string[]): FollowedSource[] {
  const sources = positionals.map((given): FollowedSource => {
    const [, name, reference = given] = /^([^=/:]*)=(.*)$/.exec(given) ?? [];
    if (name !== undefined && !modelNamePattern.test(name))
      throw new UsageError(`a model's name must match ${modelNamePattern.source}; got "${name}"`);
    return { name, reference };
  });
  if (sources.length === 0) {
    throw new UsageError(
      'give a source: mlflow://NAME@ALIAS, s3://bucket/prefix, hf://org/name or file:///folder',
    );
  }
  const twice = sources.find(({ name, reference }, at) =>
    sources
      .slice(0, at)
      .some((other) => other.reference === reference || (name !== undefined && other.name === name)),
  );
  if (twice !== undefined) throw new UsageError(`${twice.name ?? twice.reference} is given twice`);
  return sources;
}

function exitCodeOf(outcomes: readonly FollowOutcome[]): number {
  if (outcomes.includes('failed')) return EXIT.outputFailed;
  if (outcomes.includes('unreachable')) return EXIT.unanswered;
  return outcomes.includes('refused') ? EXIT.incomplete : EXIT.ok;
}

interface EventOutput {
  readonly tell: (event: FollowEvent) => void;
  readonly close: () => Promise<unknown>;
}

/** Never has the work wait for who reads. */
function eventOutput({ stdout }: CliContext, asJson: boolean): EventOutput {
  if (stdout.isTTY === true && !asJson) {
    return { tell: (event) => void stdout.write(`${plainLine(event)}\n`), close: async () => undefined };
  }
  const log = createLogger({ level: 'info' });
  return { tell: logTo(log), close: () => log.close() };
}

/** Lines as the server logs them: they go to the same place. */
function logTo(log: Log): (event: FollowEvent) => void {
  return ({ event, source, model, directory, origin, reason }) => {
    const version = directory === undefined ? undefined : basename(directory);
    const level = LEVELS[event];
    log[level]({ event, source, model, version, origin, reason }, MESSAGES[event]);
  };
}

function plainLine({ event, source, model, directory, origin, reason }: FollowEvent): string {
  const time = new Date().toISOString().slice(11, 19);
  const version = origin?.version === undefined ? '' : ` (its version ${origin.version})`;
  const words = {
    published: `published as ${model} ${basename(directory ?? '')}${version}`,
    unchanged: 'unchanged',
    refused: `refused: ${reason}`,
    unreachable: `cannot be read: ${reason}`,
    failed: `not published: ${reason}`,
    recovered: 'can be read again',
  };
  return `${time} ${source}: ${words[event]}`.replace(/\p{Cc}/gu, ' ');
}
