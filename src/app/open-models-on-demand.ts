import { pinnedModels } from '../config/pinned-models.js';
import type { Config } from '../config.js';
import type { ModelRegistry } from '../models/model-registry.js';
import type { ModelVersion } from '../models/model-version.js';
import { ModelsOnDemand } from '../models/models-on-demand.js';
import type { Telemetry } from '../telemetry/types.js';
import type { TextInput } from '../tokenizer/types.js';

/** A model that makes room answers what it holds for so long at most; what is left then waits until it is loaded again. */
const END_LIMIT_MS = 30_000;
/** The longest texts of a full queue would take more; those of one model together may not. */
const WAITING_BYTES = 64 * 2 ** 20;

export interface ModelsOnDemandStart {
  readonly config: Pick<Config, 'batching' | 'models'>;
  readonly registry: ModelRegistry<ModelVersion<TextInput>>;
  readonly telemetry: Pick<Telemetry, 'onDemand' | 'watchWaiting'>;
  readonly load: (model: string, signal: AbortSignal) => Promise<void>;
  readonly oneAtATime: <T>(task: () => Promise<T>) => Promise<T>;
  readonly describe: (error: unknown) => string;
  readonly onChanged: () => void;
}

/** Makes what loads and unloads models as they are asked for, within what the settings allow. */
export function openModelsOnDemand({
  config: { models, batching },
  telemetry,
  ...parts
}: ModelsOnDemandStart): ModelsOnDemand<ModelVersion<TextInput>> {
  const onDemand = new ModelsOnDemand({
    ...parts,
    pinned: pinnedModels(models),
    bounds: { models: models.cacheSize, memoryBytes: models.memoryBytes },
    waiterBounds: { waiters: batching.maxQueueItems, bytes: WAITING_BYTES },
    endLimitMs: END_LIMIT_MS,
    hooks: telemetry.onDemand,
  });
  telemetry.watchWaiting(() => onDemand.waiting);
  return onDemand;
}
