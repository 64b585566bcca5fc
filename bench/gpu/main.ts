import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { readManifest } from '../../src/models/manifest.js';
import { probeCuda } from '../../src/runtime/probe-cuda.js';
import { sessionEnvironment } from '../../src/runtime/session-environment.js';
import { TokenizerPool } from '../../src/tokenizer/tokenizer-pool.js';
import { BenchModels } from '../bench-models.js';
import { Inputs } from '../inputs/inputs.js';
import { describeMachine } from '../machine.js';
import { ProcessSet } from '../process-set.js';
import { describeGpus } from './describe-gpu.js';
import { GpuSampler } from './gpu-sampler.js';
import { type GpuBenchOptions, GpuBenchUsageError, parseGpuBenchOptions, USAGE } from './options.js';
import { type ServedResult, servedPasses } from './served-passes.js';
import { type SessionTrial, trySession } from './session-trial.js';
import { servedTable, trialTable } from './tables.js';

const PROBE_TIMEOUT_MS = 60_000;
/** A knee this much above the budget that the server calibrated is tried as well. */
const WORTH_A_SECOND_TRY = 1.25;
const PROVIDER_COMMAND = 'ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js';

process.exitCode = await main(process.argv.slice(2));

/** 0: measured, and the golden answers hold; 1: they do not, or CUDA cannot be used; 2: usage. */
async function main(argv: readonly string[]): Promise<number> {
  let options: GpuBenchOptions | 'help';
  try {
    options = parseGpuBenchOptions(argv);
  } catch (error) {
    if (!(error instanceof GpuBenchUsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  return (await cudaComputes(options)) ? await measure(options, argv) : 1;
}

async function cudaComputes({ device, deviceId }: GpuBenchOptions): Promise<boolean> {
  if (device === 'cpu') return true;
  const found = await probeCuda({ deviceId, timeoutMs: PROBE_TIMEOUT_MS });
  if (found.usable) return true;
  console.error(`CUDA cannot be used, and nothing was measured: ${found.reason}`);
  console.error(`The provider is fetched by: ${PROVIDER_COMMAND}\ndocs/gpu.md says what else it needs.`);
  return false;
}

async function measure(options: GpuBenchOptions, argv: readonly string[]): Promise<number> {
  const { device, deviceId, model: name, instances } = options;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('interrupted')));
  const processes = new ProcessSet(stop.signal);
  const models = await BenchModels.open(name, 'auto');
  const pool = new TokenizerPool({ workers: 1 });
  const sampler = device === 'cuda' ? new GpuSampler(deviceId, (reason) => console.error(reason)) : undefined;
  try {
    const { directory } = models.get();
    const manifest = await readManifest(name, basename(directory), directory);
    const tokenizer = await pool.load(manifest);
    const inputs = Inputs.open(options.dataFolder, (texts) => models.encode(texts));
    const texts = await inputs.mix(options.mix, options.texts);
    const intraOpThreads = Math.max(1, Math.floor(availableParallelism() / instances));
    const settings = {
      ...sessionEnvironment(process.env),
      ...models.get().serverSettings(intraOpThreads),
      VERDICT_DEVICE: device,
      VERDICT_DEVICE_ID: String(deviceId),
      VERDICT_INSTANCES: String(instances),
      VERDICT_TOKENIZER_WORKERS: String(options.tokenizerWorkers),
      VERDICT_BATCH_MAX_ITEMS: '4096',
      VERDICT_LOG_LEVEL: 'error',
    };
    const trials: SessionTrial[] = [];
    const served: ServedResult[] = [];
    for (const precision of options.precisions.filter((each) => models.precisions.includes(each))) {
      stop.signal.throwIfAborted();
      console.error(`${name} ${precision} on ${device}: golden answers, calibration, growing batches`);
      const trial = await trySession(manifest, precision, tokenizer, { device, deviceId, intraOpThreads });
      trials.push(trial);
      // A server would not serve what disagrees with its golden answers.
      if (trial.golden?.ok === false) continue;
      const serve = (budgetTokens: number) =>
        servedPasses(processes, options, precision, {
          settings: { ...settings, VERDICT_BATCH_BUDGET_TOKENS: String(budgetTokens) },
          texts,
          sampler,
          onResult: ({ inFlight, textsPerSecond }) =>
            console.error(
              `${name} ${precision}: ${inFlight} in flight, ${textsPerSecond.toFixed(1)} texts/s`,
            ),
        });
      const results = await serve(options.budgetTokens);
      served.push(...results);
      const knee = trial.kneeTokens ?? 0;
      if (options.budgetTokens === 0 && knee > WORTH_A_SECOND_TRY * (results[0]?.budgetTokens ?? knee)) {
        console.error(`${name} ${precision}: once more with the knee as budget, ${knee} padded tokens`);
        served.push(...(await serve(knee)));
      }
    }
    if (trials.length === 0) throw new Error(`${name} has none of ${options.precisions.join(', ')}`);
    const path = join(options.outFolder, `gpu-${name}-${device}.json`);
    mkdirSync(dirname(path), { recursive: true });
    const result = {
      command: ['npm run bench:gpu --', ...argv].join(' '),
      date: new Date().toISOString(),
      machine: describeMachine(),
      gpus: (await describeGpus()) ?? [],
      options,
      inputs: { description: inputs.description, ...(await inputs.statistics(texts)) },
      trials,
      served,
    };
    writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
    console.log(`\n${trialTable(trials)}\n\n${servedTable(served)}\n\nwritten to ${path}`);
    return trials.every(({ golden }) => golden?.ok !== false) ? 0 : 1;
  } finally {
    sampler?.close();
    await processes.stopAll();
    await Promise.all([pool.close(), models.close()]);
  }
}
