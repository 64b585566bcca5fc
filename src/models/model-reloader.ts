import { setMaxListeners } from 'node:events';
import { Serial } from '../concurrency/serial.js';
import { SharedOutcome } from '../concurrency/shared-outcome.js';
import { untilAborted } from '../concurrency/until-aborted.js';
import { shuttingDown, VerdictError } from '../errors.js';
import type { DeployableVersion } from './deployment.js';
import { loadWithRetry } from './load-models.js';
import { ModelLoadError } from './model-load-error.js';
import type { EndedVersion, ModelRegistry } from './model-registry.js';
import type { ModelLocation, ModelRepository } from './repository.js';
import type { LabelFlips, ModelReload, ModelReloads, ReloadHooks, WarmUp } from './types.js';

/** What a reload needs of a version that was loaded. */
export interface ReloadableVersion extends DeployableVersion {
  /** See `folderIdentity`. */
  readonly folderIdentity: string;
  readonly flips: LabelFlips | undefined;
}

export interface ModelReloaderParts<V extends ReloadableVersion> {
  readonly registry: ModelRegistry<V>;
  /** It is never taken out of service. */
  readonly defaultModel: string;
  /** How long a version whose place was taken may answer what it holds, in milliseconds. */
  readonly endLimitMs: number;
  /** Whether a model may be loaded; otherwise it stays as it is until somebody asks for it. */
  readonly mayLoad: (model: string) => boolean;
  /** Runs one task at a time: nothing else loads or unloads a model meanwhile. */
  readonly oneAtATime: <T>(task: () => Promise<T>) => Promise<T>;
  /** A reload begins: requests are to be routed as is kept by now. Called once for all who share the reload. Must not reject */
  readonly refresh: () => Promise<void>;
  /** What the models folder holds. @throws ModelLoadError */
  readonly find: () => Promise<ModelRepository>;
  /** What a version's folder looks like. @throws ModelLoadError */
  readonly identify: (directory: string) => Promise<string>;
  /** Loads a version beside the one whose place it is to take. @throws any error that says why it cannot serve */
  readonly load: (location: ModelLocation, former: V | undefined, signal: AbortSignal) => Promise<V>;
  /** Asks a version what callers have asked lately, before it takes over. Default: it is asked nothing. @throws the signal's reason */
  readonly warm?: (version: V, former: V, signal: AbortSignal) => Promise<WarmUp | undefined>;
  /** A version is about to get requests. */
  readonly onServing: (version: V) => void;
  /** A reload is over, whatever came of it: other sessions than before may be open. Told once, however many wait for it. */
  readonly onEnded: () => void;
  /** The error of a load in words, for everybody to read. */
  readonly describe: (error: unknown) => string;
  readonly hooks: ReloadHooks;
}

/**
 * More names than this are a reload of all models: callers come, name what they like and leave. Nobody gets more by it than they
 * could ask for, since only who may use any model can name so many.
 */
const MOST_NAMED = 1_000;

/** A version that is ready to take over. */
interface Ready<V> {
  readonly version: V;
  readonly warmUp: WarmUp | undefined;
}

/** A reload that has not begun, and what it is to look at. */
interface Waiting {
  readonly models: Set<string>;
  isForAll: boolean;
  readonly done: SharedOutcome<readonly ModelReload[]>;
}

/**
 * Makes what serves agree with the models folder. One version after the other is loaded beside those that serve; once it is proven,
 * it takes over in one step. What is not wanted any more ends, unless something of its model has failed: then all that serves stays.
 */
export class ModelReloader<V extends ReloadableVersion> implements ModelReloads {
  readonly #parts: ModelReloaderParts<V>;
  readonly #serial = new Serial();
  readonly #stopping = new AbortController();
  #waiting: Waiting | undefined;

  constructor(parts: ModelReloaderParts<V>) {
    this.#parts = parts;
    setMaxListeners(0, this.#stopping.signal);
  }

  async reload(models: readonly string[] = [], signal?: AbortSignal): Promise<readonly ModelReload[]> {
    this.#stopping.signal.throwIfAborted();
    this.#waiting ??= this.#schedule();
    const waiting = this.#waiting;
    for (const model of models) waiting.models.add(model);
    waiting.isForAll ||= models.length === 0 || waiting.models.size > MOST_NAMED;
    if (waiting.isForAll) waiting.models.clear();
    const reloads = await waiting.done.wait(signal);
    if (models.length === 0) return reloads;
    const unknown = models.find((name) => !reloads.some(({ model }) => model === name));
    if (unknown !== undefined) throw noSuchModel(unknown);
    return reloads.filter(({ model }) => models.includes(model));
  }

  /** Gives up the load under way. From now on no version takes another's place. */
  stop(): void {
    this.#stopping.abort(shuttingDown());
  }

  /** Resolves when nothing is being loaded any more, or the signal aborts. Call `stop` before. */
  ended(signal: AbortSignal): Promise<void> {
    return untilAborted(
      this.#serial.run(async () => {}),
      signal,
    );
  }

  #schedule(): Waiting {
    const models = new Set<string>();
    const done = this.#serial.run(() => {
      // Whoever asks from now on may have seen a later state of the folder.
      this.#waiting = undefined;
      return this.#run(waiting).finally(this.#parts.onEnded);
    });
    const waiting: Waiting = { models, isForAll: false, done: new SharedOutcome(done) };
    return waiting;
  }

  async #run({ models, isForAll }: Waiting): Promise<readonly ModelReload[]> {
    const { registry, hooks, refresh } = this.#parts;
    await refresh();
    // The folder is searched for these: what of them is not found is gone.
    const searched = new Map(registry.names.map((name) => [name, registry.named(name)]));
    const repository = await this.#find();
    const onDisk = [...repository.locations, ...repository.broken].map(({ name }) => name);
    const known = [...new Set([...onDisk, ...registry.names])].sort();
    const reloads: ModelReload[] = [];
    for (const name of known) {
      if (!isForAll && !models.has(name)) continue;
      this.#stopping.signal.throwIfAborted();
      const startedAt = performance.now();
      const reload = await this.#parts.oneAtATime(() =>
        this.#reloadOne(name, repository, searched.get(name) ?? new Set()),
      );
      reloads.push(reload);
      hooks.onModelReloaded?.(reload, performance.now() - startedAt);
    }
    hooks.onReloaded?.(reloads);
    return reloads;
  }

  async #find(): Promise<ModelRepository> {
    try {
      return await this.#parts.find();
    } catch (error) {
      if (!(error instanceof ModelLoadError)) throw error;
      this.#parts.hooks.onFolderUnreadable?.(error.message);
      throw new VerdictError('unavailable', 'the models folder cannot be read', {
        reason: 'MODELS_UNREADABLE',
        cause: error,
      });
    }
  }

  async #reloadOne(
    name: string,
    { locations, broken }: ModelRepository,
    searched: ReadonlySet<string>,
  ): Promise<ModelReload> {
    const wanted = locations.filter((one) => one.name === name);
    if (wanted.length > 0 && !this.#parts.mayLoad(name)) return this.#unloaded(name, wanted);
    if (wanted.length > 0) return this.#reloadFrom(name, wanted, searched);
    const found = broken.find((one) => one.name === name);
    if (found !== undefined) return this.#broken(name, this.#parts.describe(found.error));
    if (name === this.#parts.defaultModel)
      return this.#broken(name, 'its folder is gone; the default model stays all the same');
    const retired = await this.#ended(name, (limit) => this.#parts.registry.remove(name, limit));
    return { model: name, outcome: 'removed', version: '', reason: '', flips: undefined, retired };
  }

  /** Nothing of the model is loaded, and nothing is: its next load takes what the folder holds then. */
  async #unloaded(name: string, wanted: readonly ModelLocation[]): Promise<ModelReload> {
    const { registry, identify } = this.#parts;
    // A folder that cannot be read holds no version that was loaded; its next load says why.
    for (const { version, directory } of wanted)
      registry.addUnloaded(name, version, await identify(directory).catch(() => ''));
    registry.forgetUnloaded(name, new Set(wanted.map(({ version }) => version)));
    return { model: name, outcome: 'unchanged', version: '', reason: '', flips: undefined, retired: [] };
  }

  /**
   * @param wanted all versions of the model that are to serve, from the highest down
   * @param searched the versions that requests were routed to when the folder was read
   */
  async #reloadFrom(
    name: string,
    wanted: readonly ModelLocation[],
    searched: ReadonlySet<string>,
  ): Promise<ModelReload> {
    const { registry } = this.#parts;
    // What requests have been routed to since then stays too.
    const isWanted = (version: string) =>
      wanted.some((one) => one.version === version) ||
      (registry.named(name).has(version) && !searched.has(version));
    const failures = new Map<string, string>();
    const retired: string[] = [];
    let isLoaded = false;
    let flips: LabelFlips | undefined;
    let warmUp: WarmUp | undefined;
    for (const [at, location] of wanted.entries()) {
      this.#stopping.signal.throwIfAborted();
      const ready = await this.#reloadVersion(location, failures);
      if (ready === undefined) continue;
      const { version: loaded } = ready;
      isLoaded = true;
      flips ??= loaded.flips;
      warmUp ??= ready.warmUp;
      this.#parts.onServing(loaded);
      // Where something has failed, all that serves stays. The last step takes the place of what is not wanted any more.
      const isLast = at === wanted.length - 1 && failures.size === 0;
      const ended = await this.#ended(name, (limit) =>
        registry.replace(loaded, (version) => !isLast || isWanted(version), limit),
      );
      // Its own number stands for the new content.
      retired.push(...ended.filter((number) => number !== location.version));
    }
    registry.forgetUnloaded(name, new Set(failures.keys()));
    const [reason] = failures.values();
    if (reason === undefined && !this.#stopping.signal.aborted)
      retired.push(...(await this.#ended(name, (limit) => registry.retire(name, isWanted, limit))));
    const version = registry.current(name)?.version ?? '';
    retired.sort((a, b) => Number(b) - Number(a));
    const reload = { model: name, version, flips, warmUp, retired };
    if (reason !== undefined) return { ...reload, outcome: 'failed', reason };
    const others = retired.length > 0 ? 'retired' : 'unchanged';
    return { ...reload, outcome: isLoaded ? 'loaded' : others, reason: '' };
  }

  /**
   * Loads a version, unless it is there and looks the same.
   * @param failures gets the reason where it could not be loaded
   * @returns undefined: nothing was loaded
   */
  async #reloadVersion(
    location: ModelLocation,
    failures: Map<string, string>,
  ): Promise<Ready<V> | undefined> {
    const { registry, identify, describe } = this.#parts;
    const { name, version, directory } = location;
    const same = registry.find(name, version);
    const { signal } = this.#stopping;
    try {
      const identity = await identify(directory);
      if (same?.folderIdentity === identity) return undefined;
      registry.addLoading(name, version);
      const former = same ?? registry.current(name);
      return await loadWithRetry(location, (from, giveUp) => this.#load(from, former, giveUp), signal);
    } catch (error) {
      if (signal.aborted) {
        registry.forget(name, version);
        throw signal.reason;
      }
      const reason = describe(error);
      failures.set(version, reason);
      registry.addFailed({ name, version, reason });
      return undefined;
    }
  }

  async #load(location: ModelLocation, former: V | undefined, signal: AbortSignal): Promise<Ready<V>> {
    const version = await this.#parts.load(location, former, signal);
    try {
      const warmUp = former && (await this.#parts.warm?.(version, former, signal));
      signal.throwIfAborted();
      return { version, warmUp };
    } catch (error) {
      await version.close(signal);
      throw error;
    }
  }

  /** Not even a version was found. */
  #broken(name: string, reason: string): ModelReload {
    const { registry } = this.#parts;
    registry.forgetUnloaded(name);
    registry.addFailed({ name, version: '', reason });
    const version = registry.current(name)?.version ?? '';
    return { model: name, outcome: 'failed', version, reason, flips: undefined, retired: [] };
  }

  /**
   * A version that does not end well is gone all the same, and nothing that serves depends on it.
   * @returns the versions that have ended
   */
  async #ended(
    name: string,
    end: (limit: AbortSignal) => Promise<readonly EndedVersion[]>,
  ): Promise<readonly string[]> {
    const ended = await end(AbortSignal.timeout(this.#parts.endLimitMs));
    for (const { version, error } of ended)
      if (error !== undefined) this.#parts.hooks.onEndFailed?.({ name, version }, error);
    return ended.map(({ version }) => version);
  }
}

function noSuchModel(name: string): VerdictError {
  return new VerdictError('not_found', `there is no model ${name}`, {
    reason: 'MODEL_NOT_FOUND',
    resource: { type: 'model', name },
  });
}
