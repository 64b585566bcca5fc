import { CacheKeyer } from '../cache/key.js';
import { Serial } from '../concurrency/serial.js';
import type { Config } from '../config.js';
import { readGolden } from '../models/golden.js';
import { ModelLoader } from '../models/model-loader.js';
import { TextPreprocessor, textFeeds } from '../preprocessing/text-preprocessor.js';
import { decideDevice } from '../runtime/decide-device.js';
import type { GpuMonitor } from '../runtime/gpu-monitor.js';
import { probeCuda } from '../runtime/probe-cuda.js';
import type { ModelStatistics } from '../statistics/model-statistics.js';
import type { ArrivalTrace } from '../telemetry/arrival-trace.js';
import type { Logger } from '../telemetry/logger.js';
import type { Telemetry } from '../telemetry/types.js';
import type { TokenizerPool } from '../tokenizer/tokenizer-pool.js';
import type { TextInput } from '../tokenizer/types.js';
import type { Tracing } from '../tracing/open-tracing.js';
import { batchHooks } from './batch-hooks.js';

const OPEN_TIMEOUT_MS = 120_000;
const CUDA_PROBE_TIMEOUT_MS = 30_000;
const CALIBRATION_TIME_MS = 150;
/** How long inputs wait for a replacement once a model has lost its last runtime process. */
const NO_RUNNER_GRACE_MS = 10_000;
/** A short text takes milliseconds; this long it takes only in a process that hangs, or a machine that is far too busy. */
const SELF_TEST_LIMIT_MS = 10_000;
const BACKOFF = { initialMs: 100, maxMs: 10_000, stableMs: 30_000 };

/** What models are loaded with. */
export interface LoaderStart {
  readonly config: Pick<Config, 'runtime' | 'batching'>;
  readonly tokenizers: TokenizerPool;
  readonly gpus: GpuMonitor;
  readonly telemetry: Telemetry;
  readonly statistics: ModelStatistics;
  readonly trace: ArrivalTrace | undefined;
  readonly tracing: Tracing | undefined;
  readonly log: Logger;
}

/**
 * Settles the device, and makes what loads models there.
 * @throws the probe's error, if the device was asked for by name; the signal's reason
 */
export async function openModelLoader(
  { config, tokenizers, gpus, telemetry, statistics, trace, tracing, log }: LoaderStart,
  signal: AbortSignal,
): Promise<ModelLoader<TextInput>> {
  const { device, fallbackReason } = await decideDevice(config.runtime.device, () =>
    probeCuda({ deviceId: config.runtime.deviceId, timeoutMs: CUDA_PROBE_TIMEOUT_MS, signal }),
  );
  if (fallbackReason !== undefined) log.info({ device, reason: fallbackReason }, 'serving on the CPU');
  if (device === 'cuda') gpus.start();
  return new ModelLoader<TextInput>(
    {
      sessions: {
        ...config.runtime,
        device,
        openTimeoutMs: OPEN_TIMEOUT_MS,
        backoff: BACKOFF,
      },
      batching: {
        ...config.batching,
        maxBatchItems: config.batching.maxItems,
        noRunnerGraceMs: NO_RUNNER_GRACE_MS,
      },
      calibrationTimeMs: CALIBRATION_TIME_MS,
      maxTokens: config.runtime.maxTokens || undefined,
      selfTest: {
        intervalMs: config.runtime.selfTestIntervalMs,
        limitMs: Math.min(SELF_TEST_LIMIT_MS, config.runtime.runTimeoutMs),
      },
    },
    {
      loadPreprocessor: async (manifest) => new TextPreprocessor(await tokenizers.load(manifest), manifest),
      readGolden: ({ goldenPath, labels }) => readGolden(goldenPath, labels),
      preparationTrouble: () =>
        tokenizers.isAvailable ? '' : 'no tokeniser thread answers; a replacement is on its way',
      knownFeeds: ({ padId, firstPosition }) =>
        padId === undefined ? undefined : textFeeds(padId, firstPosition),
      probeFeeds: textFeeds(0),
      cacheKeys: (digest) => new CacheKeyer(digest),
      hooks: ({ name, version }) => {
        const { batcher, runtime } = telemetry.version({ model: name, version });
        return {
          batcher: {
            ...batchHooks(batcher, statistics.version(name, version)),
            ...(trace === undefined ? {} : { onArrival: trace.hook(name) }),
            ...tracing?.batcher({ model: name, version }),
          },
          runtime,
        };
      },
      oneAtATime: new Serial().run,
    },
    {
      onUnchecked: (model) => log.warn({ model }, 'no golden.json: nothing shows that its answers are right'),
      onPrecisionRefused: (refusal) => log.warn({ ...refusal }, 'a precision was refused'),
      onSplitRefused: (refusal) => log.warn({ ...refusal }, 'the model keeps its one session'),
      onGoldenCheck: ({ model, precision, report }) =>
        log.debug({ model, precision, ...report }, 'golden answers compared'),
    },
  );
}
