import { type DeployableVersion, Deployment } from './deployment.js';
import { type ModelsReadiness, readinessOf, routingTroublesIn } from './models-readiness.js';
import { modelNotFound, RequestedVersions } from './requested-versions.js';
import { namedVersions, noRouting, type Routings } from './routing.js';
import type { ModelCatalog, ModelView } from './types.js';

/** Which version of which model. */
export interface VersionName {
  readonly name: string;
  readonly version: string;
}

/** Which alias of which model. */
export interface AliasName {
  readonly model: string;
  readonly alias: string;
}

/** A model with versions that are loaded. */
export interface LoadedModel<V> {
  readonly name: string;
  /** Highest first. */
  readonly versions: readonly V[];
  /** The higher, the later it was used. */
  readonly lastUse: number;
}

/** A version that was taken out of service and is gone. */
export interface EndedVersion {
  readonly version: string;
  /** Why it did not end well; undefined: it has answered all it held. */
  readonly error?: unknown;
}

/** A version that could not be loaded. */
export interface FailedVersion {
  readonly name: string;
  /** Empty if not even a version was found. */
  readonly version: string;
  /** Why, for everybody to read: no path but those below the models folder. */
  readonly reason: string;
}

/** The models that exist: what is put into service and taken out of it, and what is known of what is not loaded. */
export class ModelRegistry<V extends DeployableVersion> implements ModelCatalog {
  /** What requests mean by the names of models and versions. */
  readonly requested: RequestedVersions<V>;
  readonly #defaultModel: string;
  readonly #deployments = new Map<string, Deployment<V>>();
  readonly #listeners = new Set<() => void>();
  #routings: Routings = new Map();
  /** Versions that a change of routing is about to name, by model: one entry for each change. */
  readonly #reserved = new Set<{ readonly model: string; readonly versions: readonly string[] }>();
  readonly #onGone: (version: VersionName) => void;
  readonly #isPinned: (model: string) => boolean;

  /**
   * @param defaultModel the model of requests that name none
   * @param isPinned whether a model is never unloaded to make room
   * @param onGone called when nothing of a version is left: it has answered all it held, or could not be loaded and is not
   *   asked for any more. Must not throw
   */
  constructor(
    defaultModel: string,
    onGone: (version: VersionName) => void = () => {},
    isPinned: (model: string) => boolean = () => true,
  ) {
    this.#defaultModel = defaultModel;
    this.requested = new RequestedVersions(this.#deployments, defaultModel);
    this.#onGone = onGone;
    this.#isPinned = isPinned;
  }

  /** The models that anything is known of, by name. */
  get names(): readonly string[] {
    return [...this.#deployments.keys()].sort();
  }

  /** The version that most requests for a model go to; undefined: there is none. */
  current(model: string): V | undefined {
    return this.#deployments.get(model)?.current;
  }

  /** Whether requests for a model are answered without a load. */
  isLoaded(model: string): boolean {
    return this.#deployments.get(model)?.isLoaded ?? false;
  }

  /** Whether a model is known of which no version is loaded. */
  isUnloaded(model: string): boolean {
    return this.#deployments.get(model)?.isUnloaded ?? false;
  }

  /** Whether a version of a model could not be loaded. */
  hasFailed(model: string): boolean {
    const unloaded = [...(this.#deployments.get(model)?.unloaded.values() ?? [])];
    return unloaded.some(({ state }) => state === 'failed');
  }

  /** The models that are loaded, by name. */
  loadedModels(): readonly LoadedModel<V>[] {
    return this.names.flatMap((name) => {
      const deployment = this.#deployments.get(name);
      if (deployment?.isLoaded !== true) return [];
      return [{ name, versions: deployment.active, lastUse: deployment.lastUse }];
    });
  }

  /**
   * Puts a version into service. Unless a division of the requests is set, the highest version gets those that name none.
   * @throws Error if it is deployed already
   */
  deploy(version: V): void {
    this.#deploymentOf(version.name).add(version);
    this.changed();
  }

  /** Sets where the requests for all models go, in one step. What is said of models that are not here holds once they are. */
  route(routings: Routings): void {
    this.#routings = routings;
    for (const [name, deployment] of this.#deployments) deployment.route(routings.get(name) ?? noRouting);
    this.changed();
  }

  /** What is set about where requests go, by model. */
  get routings(): Routings {
    return this.#routings;
  }

  /** The versions that the routing of a model names, or is about to. */
  named(model: string): ReadonlySet<string> {
    const reserved = [...this.#reserved].filter((one) => one.model === model);
    return new Set([
      ...namedVersions(this.#routings.get(model) ?? noRouting),
      ...reserved.flatMap(({ versions }) => versions),
    ]);
  }

  /** Counts versions as named until a change that names them is made, or has failed. Returns the way to end that. */
  reserve(model: string, versions: readonly string[]): () => void {
    const reserved = { model, versions };
    this.#reserved.add(reserved);
    return () => this.#reserved.delete(reserved);
  }

  /** All aliases of the models that there are. */
  get aliases(): readonly AliasName[] {
    return [...this.#deployments.values()].flatMap(({ name, routing }) =>
      [...routing.aliases.keys()].map((alias) => ({ model: name, alias })),
    );
  }

  /** The version of a model with that number; undefined: it is not loaded, or gets no requests any more. */
  find(model: string, version: string): V | undefined {
    return this.#deployments.get(model)?.find(version);
  }

  /** The version that most requests for a model go to, or would if it were loaded; empty: there is none. */
  currentVersion(model: string): string {
    const unloaded = [...(this.#deployments.get(model)?.unloaded.keys() ?? [])];
    const highest = unloaded.sort((a, b) => Number(b) - Number(a))[0];
    return this.current(model)?.version ?? highest ?? '';
  }

  /**
   * Takes versions out of service: they get no new requests, answer what they hold, and end.
   * @param but whether a version stays
   * @param signal makes them refuse the rest
   * @returns those versions, when they have ended
   */
  async retire(
    model: string,
    but: (version: string) => boolean,
    signal: AbortSignal,
  ): Promise<readonly EndedVersion[]> {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) return [];
    return this.#end(deployment, deployment.retireAll(but), signal);
  }

  /**
   * Puts a version into service and takes others out of it, in one step, one with the same number among them. Those answer what
   * they hold, and end.
   * @param stays whether a version with another number stays
   * @param signal makes them refuse the rest
   * @returns those others, when they have ended
   */
  async replace(
    version: V,
    stays: (version: string) => boolean,
    signal: AbortSignal,
  ): Promise<readonly EndedVersion[]> {
    const deployment = this.#deploymentOf(version.name);
    return this.#end(deployment, deployment.succeed(version, stays), signal);
  }

  /**
   * Takes a model out of memory: it gets no requests until it is loaded again, answers what it holds, and its sessions end.
   * @param signal makes its versions refuse the rest
   * @returns its versions, when they have ended
   */
  async unload(model: string, signal: AbortSignal): Promise<readonly EndedVersion[]> {
    const deployment = this.#deployments.get(model);
    return deployment === undefined ? [] : this.#end(deployment, deployment.unload(), signal);
  }

  /**
   * Takes a model out of service with all that is known of it.
   * @param signal makes its versions refuse the rest
   * @returns its versions, when they have ended
   */
  async remove(model: string, signal: AbortSignal): Promise<readonly EndedVersion[]> {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) return [];
    this.forgetUnloaded(model);
    return this.#end(deployment, deployment.retireAll(), signal);
  }

  /** Forgets a version that is not loaded. */
  forget(model: string, version: string): void {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) return;
    deployment.forget(version);
    this.#tidy(deployment, version);
    this.changed();
  }

  /** Forgets the versions of a model that are not loaded. @param but those that stay */
  forgetUnloaded(model: string, but: ReadonlySet<string> = new Set()): void {
    const unloaded = this.#deployments.get(model)?.unloaded.keys() ?? [];
    for (const version of [...unloaded].filter((one) => !but.has(one))) this.forget(model, version);
  }

  /** @param versions of the deployment, retired */
  async #end(
    deployment: Deployment<V>,
    versions: readonly V[],
    signal: AbortSignal,
  ): Promise<readonly EndedVersion[]> {
    for (const version of versions) version.drain();
    this.changed();
    return Promise.all(
      versions.map(async (ending) => {
        const { version } = ending;
        const ended = await ending.close(signal).then(
          () => ({ version }),
          (error: unknown) => ({ version, error }),
        );
        deployment.remove(ending);
        this.#tidy(deployment, version);
        this.changed();
        return ended;
      }),
    );
  }

  /** Forgets a version of which nothing is left, and its model with the last one. */
  #tidy(deployment: Deployment<V>, version: string): void {
    const { name, versions, unloaded } = deployment;
    const isLeft = unloaded.has(version) || versions.some((loaded) => loaded.version === version);
    if (!isLeft) this.#onGone({ name, version });
    const isEmpty = versions.length === 0 && unloaded.size === 0;
    if (isEmpty && this.#deployments.get(name) === deployment) this.#deployments.delete(name);
  }

  /**
   * Records that a version is loading, until it is deployed or could not be loaded.
   * @param stage what of the load is under way, for everybody to read
   */
  addLoading(name: string, version: string, stage = ''): void {
    const deployment = this.#deploymentOf(name);
    const former = deployment.unloaded.get(version)?.former;
    deployment.announce(version, { state: 'loading', reason: stage, former });
    this.changed();
  }

  /**
   * Records that a version exists, and is loaded when somebody asks for it.
   * @param identity what its folder looks like; what is kept of it is of use as long as it looks the same. Undefined: it does
   */
  addUnloaded(name: string, version: string, identity?: string): void {
    const deployment = this.#deploymentOf(name);
    const kept = deployment.unloaded.get(version)?.former;
    const former = identity === undefined || kept?.folderIdentity === identity ? kept : undefined;
    deployment.announce(version, { state: 'unloaded', reason: '', former });
    this.changed();
  }

  /** Records that a version exists and could not be loaded. */
  addFailed({ name, version, reason }: FailedVersion): void {
    this.#deploymentOf(name).announce(version, { state: 'failed', reason });
    this.changed();
  }

  /** Tells the listeners that a state may have changed. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  list(): readonly ModelView[] {
    const views = [...this.#deployments.values()].map((deployment) => this.#view(deployment));
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): ModelView {
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw modelNotFound(name);
    return this.#view(deployment);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether every version that requests are routed to serves, and which ones do not. */
  readiness(): ModelsReadiness {
    return readinessOf(this.#deployments, this.#routings);
  }

  /** What routings say that has no effect, since they name what is not there. */
  routingTroubles(): readonly string[] {
    return routingTroublesIn(this.#deployments, this.#routings);
  }

  /** Starts to drain every version: what they have accepted is still answered. */
  drain(): void {
    for (const version of this.#versions()) version.drain();
    this.changed();
  }

  /** Answers what is queued and ends the sessions. When the signal aborts, the rest is refused. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#versions().map((version) => version.close(signal)));
  }

  #versions(): V[] {
    return [...this.#deployments.values()].flatMap(({ versions }) => versions);
  }

  #deploymentOf(name: string): Deployment<V> {
    let deployment = this.#deployments.get(name);
    if (deployment === undefined) {
      deployment = new Deployment(name);
      deployment.route(this.#routings.get(name) ?? noRouting);
      this.#deployments.set(name, deployment);
    }
    return deployment;
  }

  #view(deployment: Deployment<V>): ModelView {
    const { name } = deployment;
    return deployment.view(name === this.#defaultModel, this.#isPinned(name));
  }
}
