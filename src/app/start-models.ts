import { CacheKeyer } from '../cache/key.js';
import { Serial } from '../concurrency/serial.js';
import type { Config } from '../config.js';
import { readGolden } from '../models/golden.js';
import { describeLoadError, loadModels } from '../models/load-models.js';
import { ModelLoader } from '../models/model-loader.js';
import type { ModelRegistry } from '../models/model-registry.js';
import type { ModelVersion } from '../models/model-version.js';
import { findModels, type ModelLocation, type ModelRepository, requireModel } from '../models/repository.js';
import { TextPreprocessor, textFeeds } from '../preprocessing/text-preprocessor.js';
import { decideDevice } from '../runtime/decide-device.js';
import type { GpuMonitor } from '../runtime/gpu-monitor.js';
import { probeCuda } from '../runtime/probe-cuda.js';
import type { ArrivalTrace } from '../telemetry/arrival-trace.js';
import type { Logger } from '../telemetry/logger.js';
import type { Telemetry } from '../telemetry/types.js';
import type { TokenizerPool } from '../tokenizer/tokenizer-pool.js';
import type { TextInput } from '../tokenizer/types.js';
import type { Tracing } from '../tracing/open-tracing.js';

const OPEN_TIMEOUT_MS = 120_000;
const CUDA_PROBE_TIMEOUT_MS = 30_000;
const CALIBRATION_TIME_MS = 150;
/** How long inputs wait for a replacement once a model has lost its last runtime process. */
const NO_RUNNER_GRACE_MS = 10_000;
/** A short text takes milliseconds; this long it takes only in a process that hangs, or a machine that is far too busy. */
const SELF_TEST_LIMIT_MS = 10_000;
const BACKOFF = { initialMs: 100, maxMs: 10_000, stableMs: 30_000 };

/** What the models are loaded with, and into. */
export interface ModelStart {
  readonly config: Pick<Config, 'runtime' | 'batching' | 'models'>;
  readonly registry: ModelRegistry<ModelVersion<TextInput>>;
  readonly tokenizers: TokenizerPool;
  readonly gpus: GpuMonitor;
  readonly telemetry: Telemetry;
  readonly trace: ArrivalTrace | undefined;
  readonly tracing: Tracing | undefined;
  readonly log: Logger;
}

/**
 * Settles the device, loads all models of the folder into the registry, and tells the log. A model that cannot be loaded
 * is registered as failed (ADR 0011), unless it is the default one.
 * @throws the probe's and the repository's errors; the loader's for the default model, which they name; the signal's
 *   reason. No model is left in the registry then
 */
export async function startModels(parts: ModelStart, signal: AbortSignal): Promise<void> {
  const { config, registry, tokenizers, gpus, telemetry, trace, tracing, log } = parts;
  const { device, fallbackReason } = await decideDevice(config.runtime.device, () =>
    probeCuda({ deviceId: config.runtime.deviceId, timeoutMs: CUDA_PROBE_TIMEOUT_MS, signal }),
  );
  if (fallbackReason !== undefined) log.info({ device, reason: fallbackReason }, 'serving on the CPU');
  if (device === 'cuda') gpus.start();
  const loader = new ModelLoader(
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
            ...batcher,
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
  const { dir, default: defaultName } = config.models;
  const repository = await findModels(dir);
  requireModel(repository, defaultName, dir);
  tellRepository(repository, parts);
  for (const { name, version } of repository.locations) registry.addLoading(name, version);
  const load = async (location: ModelLocation, giveUp: AbortSignal) => {
    const model = await loader.load(location, () => registry.changed(), giveUp);
    const { batcher } = model;
    telemetry.version({ model: model.name, version: model.version }).watchBusy({
      busyMs: () => batcher.busyMs,
      instances: () => batcher.runners,
      predictedWaitMs: () => batcher.predictedWaitMs('interactive'),
    });
    registry.deploy(model);
    const { version, precision, device, batchBudgetTokens, batching, appliedActivation } = model.view;
    const served = { model: model.name, version, precision, device, batchBudgetTokens, batching };
    log.info(appliedActivation === undefined ? served : { ...served, appliedActivation }, 'model serves');
    if (batching !== 'padded')
      log.warn(
        { model: model.name, version, batching },
        'its answers change with the other inputs in a batch',
      );
  };
  try {
    await loadModels(
      repository.locations,
      {
        load,
        isRequired: ({ name }) => name === defaultName,
        onFailed: (location, error) => tellFailed(location, error, parts),
      },
      signal,
    );
  } catch (error) {
    // A step that did not start is not stopped: the models that did load are ended here.
    await registry.close(AbortSignal.abort());
    throw error;
  }
}

/** Says which folders are not served, and why. */
function tellRepository({ broken, ignored }: ModelRepository, parts: ModelStart): void {
  for (const { path, reason } of ignored)
    parts.log.warn({ path, reason }, 'a folder among the models is ignored');
  for (const { name, error } of broken) tellFailed({ name, version: '' }, error, parts);
}

function tellFailed(
  { name, version }: Pick<ModelLocation, 'name' | 'version'>,
  error: unknown,
  { config, registry, telemetry, log }: ModelStart,
): void {
  const reason = describeLoadError(error);
  log.error({ model: name, version, reason }, 'model could not be loaded: the others serve');
  telemetry.version({ model: name, version });
  // What callers may read leaves out where the folder lies.
  registry.addFailed({ name, version, reason: reason.replaceAll(`${config.models.dir}/`, '') });
}
