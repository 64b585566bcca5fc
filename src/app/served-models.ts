import type { WarmUps } from '../comparison/warm-ups.js';
import { Serial } from '../concurrency/serial.js';
import { pinnedModels } from '../config/pinned-models.js';
import { settingName } from '../config/setting-name.js';
import { versionPolicyIn } from '../config/version-policy.js';
import type { Config } from '../config.js';
import { shuttingDown } from '../errors.js';
import { folderIdentity } from '../models/folder-identity.js';
import { describeLoadError } from '../models/load-models.js';
import { loadWanted } from '../models/load-wanted.js';
import type { ModelLoader } from '../models/model-loader.js';
import type { ModelRegistry } from '../models/model-registry.js';
import { ModelReloader } from '../models/model-reloader.js';
import type { ModelVersion } from '../models/model-version.js';
import type { ModelsOnDemand } from '../models/models-on-demand.js';
import { findModels, type ModelLocation, type ModelRepository } from '../models/repository.js';
import { repositoryIdentity } from '../models/repository-identity.js';
import { RoutingKeeper } from '../models/routing-keeper.js';
import { SettledWatch } from '../models/settled-watch.js';
import { StateFile, StateFileError } from '../models/state-file.js';
import type { ModelReload, ModelReloads, Rollbacks, RoutingChanges } from '../models/types.js';
import { type VersionPolicy, wantedVersions } from '../models/version-policy.js';
import type { TextInput } from '../tokenizer/types.js';
import { type LoaderStart, openModelLoader } from './open-model-loader.js';
import { openModelsOnDemand } from './open-models-on-demand.js';
import { startModels } from './start-models.js';

const WATCH_INTERVAL_MS = 1_000;
const MEMORY_INTERVAL_MS = 5_000;
/** What a version holds is answered within the limits of its runs; one that does not end is ended. */
const END_LIMIT_MS = 300_000;

export interface ServedModelsParts extends LoaderStart {
  readonly config: Pick<Config, 'runtime' | 'batching' | 'models'>;
  readonly registry: ModelRegistry<ModelVersion<TextInput>>;
  /** Undefined: versions are asked nothing before they take over. */
  readonly warmUps: WarmUps | undefined;
  /** Other sessions than before may be open now. */
  readonly onReloaded: () => void;
}

/** The models of the folder: as it was at the start, and as it is whenever it is read again. */
export class ServedModels implements ModelReloads {
  readonly #parts: ServedModelsParts;
  readonly #policyOf: (model: string) => VersionPolicy;
  readonly #routing: RoutingKeeper<ModelVersion<TextInput>>;
  readonly #watches: readonly SettledWatch[];
  readonly #onDemand: ModelsOnDemand<ModelVersion<TextInput>>;
  /** For whatever loads or unloads a model. */
  readonly #changes = new Serial();
  #memoryTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #loader: ModelLoader<TextInput> | undefined;
  #reloader: ModelReloader<ModelVersion<TextInput>> | undefined;
  #isAskedEarly = false;

  constructor(parts: ServedModelsParts) {
    this.#parts = parts;
    const { versions, stateFile, watch } = parts.config.models;
    const { registry, log } = parts;
    this.#policyOf = versionPolicyIn(versions);
    const file = new StateFile(stateFile);
    this.#routing = new RoutingKeeper({
      registry,
      file,
      onTrouble: (reason) =>
        log.error({ reason, setting: settingName('models.stateFile') }, 'the state file cannot be used'),
    });
    this.#onDemand = openModelsOnDemand({
      ...parts,
      load: (model, signal) => this.#loadWanted(model, signal),
      oneAtATime: this.#changes.run,
      describe: (error) => this.#publicWords(error),
      onChanged: parts.onReloaded,
    });
    this.#watches = watch === 'off' ? [] : this.#openWatches(file);
  }

  /**
   * Loads the models that are loaded at the start.
   * @throws what `startModels` and `openModelLoader` throw; Error that names the setting of the state file. No model is left in the registry then
   */
  async start(signal: AbortSignal): Promise<void> {
    const { config, registry, log } = this.#parts;
    await this.#openState();
    for (const watch of this.#watches) await watch.open();
    const loader = await openModelLoader(this.#parts, signal);
    this.#loader = loader;
    const load = async (location: ModelLocation, giveUp: AbortSignal) => {
      const version = await loader.load(location, () => registry.changed(), giveUp);
      registry.deploy(version);
      this.#tellServing(version);
      this.#onDemand.onLoaded(version.name);
    };
    try {
      await startModels(
        {
          config,
          log,
          find: () => this.#find(),
          load,
          firstOf: (models) => this.#onDemand.firstOf(models),
          onUnloaded: ({ name, version }) => registry.addUnloaded(name, version),
          onLoading: ({ name, version }) => registry.addLoading(name, version),
          onFailed: (failed, error) => {
            this.#tellFailed(failed, error);
            this.#onDemand.onFailed(failed.name, this.#publicWords(error));
          },
        },
        signal,
      );
    } catch (error) {
      // A step that did not start is not stopped: the models that did load are ended here.
      await registry.close(AbortSignal.abort());
      throw error;
    }
    this.#reloader = this.#openReloader(loader);
    this.#tellRoutingTroubles();
    for (const model of pinnedModels(config.models))
      if (!registry.names.includes(model))
        log.warn(
          { model, setting: settingName('models.pinned') },
          'a pinned model is not in the models folder',
        );
  }

  /** Changes where requests for models go. */
  get routing(): RoutingChanges & Rollbacks {
    return this.#routing;
  }

  /** Finds the version that a request means, and loads its model if it has to. */
  get onDemand(): ModelsOnDemand<ModelVersion<TextInput>> {
    return this.#onDemand;
  }

  /** From now on the folder is followed, if a setting says so. */
  startReloads(): void {
    for (const watch of this.#watches) watch.start();
    this.#watchMemory();
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
    this.#isStopping = true;
    clearTimeout(this.#memoryTimer);
    for (const watch of this.#watches) watch.close();
    this.#reloader?.stop();
    this.#onDemand.stop();
  }

  /** Answers what is queued and ends all sessions. When the signal aborts, the rest is refused. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#parts.registry.close(signal),
      this.#reloader?.ended(signal),
      this.#onDemand.ended(signal),
    ]);
  }

  #openWatches(file: StateFile): SettledWatch[] {
    const intervalMs = WATCH_INTERVAL_MS;
    return [
      new SettledWatch({
        look: () => repositoryIdentity(() => this.#find()),
        onChange: () => this.reloadAll(),
        intervalMs,
      }),
      // Another server may share it. A version that is named there and not loaded changes what the other watch sees.
      new SettledWatch({
        look: () => file.identity(),
        onChange: async () => {
          await this.#routing.refresh();
          this.#tellRoutingTroubles();
        },
        intervalMs,
      }),
    ];
  }

  async #openState(): Promise<void> {
    try {
      await this.#routing.open();
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error;
      throw new Error(
        `${settingName('models.stateFile')}: ${error.message}. Mend it, or move it away to begin anew`,
        { cause: error },
      );
    }
  }

  #find(): Promise<ModelRepository> {
    const { config, registry } = this.#parts;
    return findModels(config.models.dir, (model, found) =>
      wantedVersions(this.#policyOf(model), found, registry.named(model)),
    );
  }

  /** What is kept for versions that are not there has no effect, and nobody should have to find out. */
  #tellRoutingTroubles(): void {
    const { registry, log } = this.#parts;
    for (const reason of registry.routingTroubles())
      log.warn({ reason }, 'a part of the state has no effect');
  }

  #openReloader(loader: ModelLoader<TextInput>): ModelReloader<ModelVersion<TextInput>> {
    const { config, registry, telemetry, warmUps, onReloaded } = this.#parts;
    return new ModelReloader({
      registry,
      mayLoad: (model) => this.#onDemand.mayReload(model),
      oneAtATime: this.#changes.run,
      defaultModel: config.models.default,
      endLimitMs: END_LIMIT_MS,
      refresh: () => this.#routing.refresh(),
      find: () => this.#find(),
      identify: folderIdentity,
      load: (location, former, signal) =>
        loader.load(location, () => registry.changed(), signal, {
          former: former?.known,
          onStage: (stage) => registry.addLoading(location.name, location.version, stage),
        }),
      ...(warmUps === undefined
        ? {}
        : { warm: (version, former, signal) => warmUps.warm(version, former, signal) }),
      onServing: (version) => {
        warmUps?.end(version);
        this.#tellServing(version);
        this.#onDemand.onLoaded(version.name);
      },
      onEnded: () => {
        onReloaded();
        this.#tellRoutingTroubles();
      },
      describe: (error) => this.#publicWords(error),
      hooks: telemetry.reloads,
    });
  }

  async #loadWanted(model: string, signal: AbortSignal): Promise<void> {
    const { registry } = this.#parts;
    const loader = this.#loader;
    if (loader === undefined) throw shuttingDown();
    await loadWanted(
      {
        registry,
        find: () => this.#find(),
        load: (location, giveUp) =>
          loader.load(location, () => registry.changed(), giveUp, {
            // Nothing of the model serves that it could be compared with.
            former: undefined,
            onStage: (stage) => registry.addLoading(location.name, location.version, stage),
          }),
        onServing: (version) => this.#tellServing(version),
        onFailed: (failed, error) => this.#tellFailed(failed, error),
      },
      model,
      signal,
    );
  }

  /** Looks again once the last look is over: it may have to wait for a load. */
  #watchMemory(): void {
    const { log } = this.#parts;
    this.#memoryTimer = setTimeout(() => {
      void this.#onDemand
        .keepWithinMemory()
        .catch((error: unknown) =>
          log.error({ error: String(error) }, 'the memory of the models could not be looked after'),
        )
        .finally(() => {
          if (!this.#isStopping) this.#watchMemory();
        });
    }, MEMORY_INTERVAL_MS).unref();
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
