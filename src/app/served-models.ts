import type { Config } from '../config.js';
import { shuttingDown } from '../errors.js';
import { folderIdentity } from '../models/folder-identity.js';
import { describeLoadError } from '../models/load-models.js';
import type { ModelLoader } from '../models/model-loader.js';
import type { ModelRegistry } from '../models/model-registry.js';
import { ModelReloader } from '../models/model-reloader.js';
import type { ModelVersion } from '../models/model-version.js';
import { findModels, type ModelLocation } from '../models/repository.js';
import { RepositoryWatch, repositoryIdentity } from '../models/repository-watch.js';
import type { ModelReload, ModelReloads } from '../models/types.js';
import type { TextInput } from '../tokenizer/types.js';
import { type LoaderStart, openModelLoader } from './open-model-loader.js';
import { startModels } from './start-models.js';

const WATCH_INTERVAL_MS = 1_000;
/** What a version holds is answered within the limits of its runs; one that does not end is ended. */
const END_LIMIT_MS = 300_000;

export interface ServedModelsParts extends LoaderStart {
  readonly config: Pick<Config, 'runtime' | 'batching' | 'models'>;
  readonly registry: ModelRegistry<ModelVersion<TextInput>>;
  /** A reload has changed which sessions are open. */
  readonly onSessionsChanged: () => void;
}

/** The models of the folder: as it was at the start, and as it is whenever it is read again. */
export class ServedModels implements ModelReloads {
  readonly #parts: ServedModelsParts;
  readonly #watch: RepositoryWatch | undefined;
  #reloader: ModelReloader<ModelVersion<TextInput>> | undefined;
  #isAskedEarly = false;

  constructor(parts: ServedModelsParts) {
    this.#parts = parts;
    const { dir, watch } = parts.config.models;
    if (watch === 'off') return;
    this.#watch = new RepositoryWatch({
      look: () => repositoryIdentity(dir),
      onChange: () => this.reloadAll(),
      intervalMs: WATCH_INTERVAL_MS,
    });
  }

  /**
   * Loads all models.
   * @throws what `startModels` and `openModelLoader` throw. No model is left in the registry then
   */
  async start(signal: AbortSignal): Promise<void> {
    const { config, registry, log } = this.#parts;
    await this.#watch?.open();
    const loader = await openModelLoader(this.#parts, signal);
    const load = async (location: ModelLocation, giveUp: AbortSignal) => {
      const version = await loader.load(location, () => registry.changed(), giveUp);
      registry.deploy(version);
      this.#tellServing(version);
    };
    try {
      await startModels(
        {
          config,
          log,
          load,
          onLoading: ({ name, version }) => registry.addLoading(name, version),
          onFailed: (failed, error) => this.#tellFailed(failed, error),
        },
        signal,
      );
    } catch (error) {
      // A step that did not start is not stopped: the models that did load are ended here.
      await registry.close(AbortSignal.abort());
      throw error;
    }
    this.#reloader = this.#openReloader(loader);
  }

  /** From now on the folder is followed, if a setting says so. */
  startReloads(): void {
    this.#watch?.start();
    if (this.#isAskedEarly) void this.reloadAll();
  }

  async reload(models: readonly string[] = [], signal?: AbortSignal): Promise<readonly ModelReload[]> {
    if (this.#reloader === undefined) throw shuttingDown();
    return this.#reloader.reload(models, signal);
  }

  /** Reads the folder again for nobody in particular: log and metrics tell what came of it. Before the start is over, after it. */
  async reloadAll(): Promise<void> {
    this.#isAskedEarly = this.#reloader === undefined;
    if (!this.#isAskedEarly) await this.reload().catch(() => {});
  }

  /** Gives up the load under way: what serves from now on stays as it is. */
  stopReloads(): void {
    this.#watch?.close();
    this.#reloader?.stop();
  }

  /** Answers what is queued and ends all sessions. When the signal aborts, the rest is refused. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#parts.registry.close(signal), this.#reloader?.ended(signal)]);
  }

  #openReloader(loader: ModelLoader<TextInput>): ModelReloader<ModelVersion<TextInput>> {
    const { config, registry, telemetry, onSessionsChanged } = this.#parts;
    return new ModelReloader({
      registry,
      defaultModel: config.models.default,
      endLimitMs: END_LIMIT_MS,
      find: () => findModels(config.models.dir),
      identify: folderIdentity,
      load: (location, former, signal) =>
        loader.load(location, () => registry.changed(), signal, { former: former?.known }),
      onServing: (version) => this.#tellServing(version),
      onSessionsChanged,
      describe: (error) => this.#publicWords(error),
      hooks: telemetry.reloads,
    });
  }

  #tellServing(model: ModelVersion<TextInput>): void {
    const { telemetry, log } = this.#parts;
    const { batcher } = model;
    telemetry.version({ model: model.name, version: model.version }).watchBusy({
      busyMs: () => batcher.busyMs,
      instances: () => batcher.runners,
      predictedWaitMs: () => batcher.predictedWaitMs('interactive'),
    });
    const { version, precision, device, batchBudgetTokens, batching, appliedActivation } = model.view;
    const served = { model: model.name, version, precision, device, batchBudgetTokens, batching };
    log.info(appliedActivation === undefined ? served : { ...served, appliedActivation }, 'model serves');
    if (batching !== 'padded')
      log.warn(
        { model: model.name, version, batching },
        'its answers change with the other inputs in a batch',
      );
  }

  #tellFailed({ name, version }: Pick<ModelLocation, 'name' | 'version'>, error: unknown): void {
    const { registry, telemetry, log } = this.#parts;
    const reason = describeLoadError(error);
    log.error({ model: name, version, reason }, 'model could not be loaded: the others serve');
    telemetry.version({ model: name, version });
    registry.addFailed({ name, version, reason: this.#publicWords(error) });
  }

  /** What callers may read leaves out where the folder lies. */
  #publicWords(error: unknown): string {
    return describeLoadError(error).replaceAll(`${this.#parts.config.models.dir}/`, '');
  }
}
