import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Device, Precision } from '../../src/runtime/types.js';
import { type ModelName, modelNames } from '../bench-models.js';
import { type MixName, mixNames } from '../inputs/inputs.js';

/** What the command line asks for. */
export interface GpuBenchOptions {
  readonly device: Device;
  readonly deviceId: number;
  readonly model: ModelName;
  /** Those of them that the model has are measured. */
  readonly precisions: readonly Precision[];
  readonly inFlight: readonly number[];
  readonly mix: MixName;
  readonly texts: number;
  /** Of each pass, roughly. */
  readonly secondsPerPass: number;
  readonly instances: number;
  /** Processes that send. */
  readonly clients: number;
  readonly tokenizerWorkers: number;
  /** 0: as the server calibrates it, and the knee as well where that lies far above. */
  readonly budgetTokens: number;
  readonly dataFolder: string;
  readonly outFolder: string;
}

/** The command line asks for something that there is not. */
export class GpuBenchUsageError extends Error {
  override readonly name = 'GpuBenchUsageError';
}

const cores = availableParallelism();
const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const DEFAULTS = {
  device: 'cuda',
  'device-id': '0',
  model: 'base',
  precisions: 'fp32,fp16',
  'in-flight': '1,8,32,64,128,256,512,1024',
  mix: 'tight',
  texts: '2048',
  seconds: '5',
  instances: '1',
  clients: String(Math.min(4, Math.max(1, Math.floor(cores / 4)))),
  'tokenizer-workers': String(Math.min(4, Math.max(1, Math.floor(cores / 4)))),
  budget: '0',
  data: fromRoot('../shared/data'),
  out: fromRoot('bench/results'),
} as const;

export const USAGE = `npm run bench:gpu -- [options]

Proves and measures the GPU path: the CUDA provider computes, the golden answers hold in each precision, runs of
growing shapes, and texts per second over ClassifyStream with what the GPU did meanwhile.

  --device cuda|cpu        cpu measures the same on the CPU, to try the script (default: cuda)
  --device-id N            number of the CUDA device (default: 0)
  --model NAME             ${modelNames.join(', ')} (default: base, made on first use)
  --precisions LIST        of fp32, fp16, int8 (default: fp32,fp16); those that the model lacks are left out
  --in-flight LIST         texts unanswered at a time (default: ${DEFAULTS['in-flight']})
  --mix NAME               ${mixNames.join(', ')} (default: tight)
  --texts N                different texts (default: 2048)
  --seconds N              length of each pass, roughly (default: 5)
  --instances N            sessions of the server (default: 1)
  --clients N              processes that send (default: a quarter of the cores, 1 to 4)
  --tokenizer-workers N    of the server (default: the same)
  --budget N               padded tokens of a batch; 0 as the server calibrates it and, where that is
                           far below the knee, the knee as well (default: 0)
  --data FOLDER            holds sst2/ and banking77/; sentences are generated where it does not
  --out FOLDER             where gpu-<model>-<device>.json goes (default: bench/results)`;

/** @throws GpuBenchUsageError */
export function parseGpuBenchOptions(argv: readonly string[]): GpuBenchOptions | 'help' {
  const options = Object.fromEntries(
    Object.entries(DEFAULTS).map(([name, preset]) => [name, { type: 'string', default: preset } as const]),
  );
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({ args: [...argv], options: { ...options, help: { type: 'boolean' } } }));
  } catch (error) {
    throw new GpuBenchUsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help === true) return 'help';
  const text = (name: keyof typeof DEFAULTS) => String(values[name]);
  const list = (name: keyof typeof DEFAULTS) => text(name).split(',');
  const number = (name: keyof typeof DEFAULTS, least: number) => whole(name, text(name), least);
  return {
    device: oneOf('device', text('device'), ['cuda', 'cpu']),
    deviceId: number('device-id', 0),
    model: oneOf('model', text('model'), modelNames),
    precisions: list('precisions').map((each) => oneOf('precisions', each, ['fp32', 'fp16', 'int8'])),
    inFlight: list('in-flight').map((each) => whole('in-flight', each, 1)),
    mix: oneOf('mix', text('mix'), mixNames),
    texts: number('texts', 1),
    secondsPerPass: number('seconds', 1),
    instances: number('instances', 1),
    clients: number('clients', 1),
    tokenizerWorkers: number('tokenizer-workers', 1),
    budgetTokens: number('budget', 0),
    dataFolder: text('data'),
    outFolder: text('out'),
  };
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined)
    throw new GpuBenchUsageError(`--${name}: '${value}' is none of ${known.join(', ')}`);
  return found;
}

function whole(name: string, value: string, least: number): number {
  const number = Number(value);
  if (!/^\d{1,9}$/.test(value) || number < least)
    throw new GpuBenchUsageError(`--${name}: '${value}' is not a whole number from ${least}`);
  return number;
}
