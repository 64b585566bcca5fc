import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ModelName, modelNames } from '../bench-models.js';
import { oneOf, positive } from '../flag-values.js';
import { BenchUsageError } from '../usage-error.js';

export const profileLoads = ['unary-hits', 'stream-hits', 'stream-misses'] as const;

/** What the server is busy with while it is watched. */
export type ProfileLoad = (typeof profileLoads)[number];

/** What the command line of `profile` asks for. */
export interface ProfileOptions {
  readonly load: ProfileLoad;
  readonly model: ModelName;
  readonly inFlight: number;
  readonly seconds: number;
  readonly threads: number;
  readonly dataFolder: string;
  readonly outFolder: string;
}

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const profileUsage = `npm run bench -- profile [options]

Runs the server under load and profiles the thread that serves calls: a flame graph (HTML), the CPU and allocation
profiles behind it (for Chrome's developer tools or speedscope), and lists of the costliest functions.

  --load NAME       ${profileLoads.join(', ')} (default: unary-hits)
  --model NAME      ${modelNames.join(', ')} (default: sentiment)
  --in-flight N     texts under way (default: 32)
  --seconds N       how long it is watched (default: 10; with --short: 1)
  --threads N       threads of the session (default: one per core)
  --data FOLDER     holds sst2/ and banking77/ (default: ../shared/data; else sentences are generated)
  --out FOLDER      for the files (default: bench/results)
  --short           proves that it works`;

/**
 * @returns `help` where that is asked for
 * @throws BenchUsageError that says what is wrong
 */
export function parseProfileOptions(args: readonly string[]): ProfileOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  return {
    load: oneOf('load', values.load ?? 'unary-hits', profileLoads),
    model: oneOf('model', values.model ?? 'sentiment', modelNames),
    inFlight: positive('in-flight', values['in-flight'] ?? '32'),
    seconds: positive('seconds', values.seconds ?? (values.short === true ? '1' : '10')),
    threads: positive('threads', values.threads ?? String(availableParallelism())),
    dataFolder: values.data ?? fromRoot('../shared/data'),
    outFolder: values.out ?? fromRoot('bench/results'),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    load: text,
    model: text,
    'in-flight': text,
    seconds: text,
    threads: text,
    data: text,
    out: text,
    short: flag,
    help: flag,
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new BenchUsageError(error instanceof Error ? error.message : String(error));
  }
}
