import { VerdictError } from '../errors.js';
import type { TextInput } from '../tokenizer/types.js';
import { type DeployableVersion, Deployment, type RoutedInput, type UnloadedVersion } from './deployment.js';
import type { FormerVersion } from './former-version.js';
import { namedVersions, noRouting, type Routings } from './routing.js';
import type { ModelCatalog, ModelView } from './types.js';

/** What a request says about the model it means. */
export interface ModelRequest extends RoutedInput {
  /** Empty: the default model. */
  readonly model: string;
  /** A number or an alias. Empty: any version that requests are routed to. */
  readonly version: string;
}

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

/** The models that exist, and what each of their names means. */
export class ModelRegistry<V extends DeployableVersion> implements ModelCatalog {
  readonly #defaultModel: string;
  readonly #deployments = new Map<string, Deployment<V>>();
  readonly #listeners = new Set<() => void>();
  #routings: Routings = new Map();
  /** Versions that a change of routing is about to name, by model: one entry for each change. */
  readonly #reserved = new Set<{ readonly model: string; readonly versions: readonly string[] }>();
  readonly #onGone: (version: VersionName) => void;
  readonly #isPinned: (model: string) => boolean;
  #uses = 0;

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

  /** The model that a request means, whether or not there is one of that name. */
  nameOf({ model }: Pick<ModelRequest, 'model'>): string {
    return model === '' ? this.#defaultModel : model;
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

  /** Makes a model the one that was used last. */
  touch(model: string): void {
    const deployment = this.#deployments.get(model);
    if (deployment !== undefined) deployment.lastUse = ++this.#uses;
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

  /**
   * Requires a version that requests may be routed to: one that is loaded, or that a load of its model would bring.
   * @throws VerdictError not_found; unavailable for one that could not be loaded
   */
  require(model: string, version: string): void {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw notFound('model', model, 'MODEL_NOT_FOUND');
    const state = deployment.unloaded.get(version)?.state;
    if (deployment.isUnloaded && (state === 'unloaded' || state === 'loading')) return;
    this.#named(deployment, version, `version ${model}/${version} is not loaded`);
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

  /**
   * The version that a request means. A version whose processes are being replaced still takes requests: they wait
   * in its queue.
   * @throws VerdictError not_found; unavailable for a model that is not loaded
   */
  resolve(request: ModelRequest): V {
    const found = this.lookUp(request);
    if (found !== undefined) return found;
    const name = this.nameOf(request);
    const [unloaded] = this.#deployments.get(name)?.unloaded.values() ?? [];
    if (unloaded !== undefined) throw notLoaded(`the model ${name}`, unloaded);
    throw notFound('model', name, 'MODEL_NOT_FOUND');
  }

  /**
   * The version that a request means, if its model is loaded; this counts as its last use.
   * @returns undefined: the model is known, and none of its versions is loaded
   * @throws VerdictError not_found; unavailable for a version that is not loaded though others are, or for a model that is gone
   */
  lookUp(request: ModelRequest): V | undefined {
    const name = request.model === '' ? this.#defaultModel : request.model;
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw notFound('model', name, 'MODEL_NOT_FOUND');
    if (deployment.isUnloaded) {
      this.#requireKnown(deployment, request.version);
      return undefined;
    }
    deployment.lastUse = ++this.#uses;
    const { version } = request;
    if (version !== '') {
      const meant = deployment.versionOf(version);
      const trouble = `version ${name}/${meant ?? version} is not loaded`;
      return this.#named(
        deployment,
        meant ?? version,
        meant === undefined ? trouble : `${trouble}: the alias ${version} stands for it`,
      );
    }
    const found = deployment.pick(request);
    if (found !== undefined) return found;
    // Its last version is being retired.
    throw new VerdictError('unavailable', `the model ${name} is being stopped`, { reason: 'DRAINING' });
  }

  /** @throws VerdictError not_found for a version that a load of its model would not bring */
  #requireKnown(deployment: Deployment<V>, asked: string): void {
    const { name, unloaded } = deployment;
    const version = deployment.versionOf(asked) ?? asked;
    if (version === '' || unloaded.has(version)) return;
    // Of a model that is being loaded or could not be, not all versions may be known.
    if ([...unloaded.values()].some(({ state }) => state !== 'unloaded')) return;
    throw versionNotFound(name, version, `version ${name}/${version} is not there`);
  }

  /** @param trouble what to say where nothing is known of the version */
  #named(deployment: Deployment<V>, version: string, trouble: string): V {
    const found = deployment.find(version);
    if (found !== undefined) return found;
    const { name, versions, unloaded } = deployment;
    const others = versions.length === 0 ? [...unloaded.values()] : [];
    const trying = unloaded.get(version) ?? others[0];
    if (trying !== undefined) throw notLoaded(`the version ${name}/${version}`, trying);
    throw versionNotFound(name, version, trouble);
  }

  /**
   * The versions that may have answers in the cache: those that are loaded, on their way out too, and what is kept of those that were.
   * @param model empty: those of all models
   * @throws VerdictError not_found; unavailable for a model of which no version ever was loaded
   */
  answering(model: string): readonly (V | FormerVersion<TextInput>)[] {
    if (model === '') return [...this.#deployments.values()].flatMap(answeringOf);
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw notFound('model', model, 'MODEL_NOT_FOUND');
    const found = answeringOf(deployment);
    const [unloaded] = deployment.unloaded.values();
    if (found.length === 0 && unloaded !== undefined) throw notLoaded(`the model ${model}`, unloaded);
    return found;
  }

  /** What is kept of the version that a request means, while its model is not loaded. */
  formerOf(request: Pick<ModelRequest, 'model' | 'version'>): FormerVersion<TextInput> | undefined {
    return this.#deployments.get(this.nameOf(request))?.formerOf(request.version);
  }

  list(): readonly ModelView[] {
    const views = [...this.#deployments.values()].map((deployment) => this.#view(deployment));
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): ModelView {
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw notFound('model', name, 'MODEL_NOT_FOUND');
    return this.#view(deployment);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Whether every version that requests are routed to serves, and which ones do not. Versions that are not loaded are named but
   * do not count: the others can serve.
   */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    const deployments = [...this.#deployments.values()];
    const hasLoaded = deployments.some(({ isLoaded }) => isLoaded);
    const reasons = deployments
      .flatMap(({ routed }) => routed)
      .filter(({ state }) => state !== 'serving')
      .map(({ name, version, view: { state, stateReason } }) =>
        [`${name}/${version} is ${state}`, stateReason].filter((words) => words !== '').join(': '),
      );
    const unloaded = deployments.flatMap(({ name, unloaded }) =>
      [...unloaded]
        .filter(([, { state }]) => state !== 'unloaded')
        .map(([version, { state, reason }]) =>
          state === 'loading'
            ? `${name}/${version} is being loaded`
            : `${pathOf(name, version)} could not be loaded: ${reason}`,
        ),
    );
    return {
      ready: hasLoaded && reasons.length === 0,
      reasons: [...reasons, ...unloaded, ...this.routingTroubles(), ...this.#rollbacks()],
    };
  }

  /** What routings say that has no effect, since they name what is not there. */
  routingTroubles(): readonly string[] {
    return [...this.#routings].flatMap(([name, routing]) => {
      const deployment = this.#deployments.get(name);
      if (deployment === undefined) return [`there is no model ${name}, and the state file names it`];
      const isMissing = (version: string) =>
        deployment.find(version) === undefined && !deployment.unloaded.has(version);
      return [...namedVersions(routing)]
        .filter(isMissing)
        .map((version) => `${name}/${version} is not there, and the state file names it`);
    });
  }

  /** Candidates that have lost their traffic. */
  #rollbacks(): readonly string[] {
    return [...this.#routings].flatMap(([name, { rollback }]) => {
      if (rollback?.rolledBack === undefined || !this.#deployments.has(name)) return [];
      const { at, cause, count, observations } = rollback.rolledBack;
      const words = cause === 'errors' ? 'failed' : `got other labels than from ${rollback.stable}`;
      return [
        `${name}/${rollback.version} lost its traffic to ${rollback.stable} at ${new Date(at).toISOString()}: ${count} of ${observations} inputs ${words}`,
      ];
    });
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

function answeringOf<V extends DeployableVersion>({
  versions,
  unloaded,
}: Deployment<V>): (V | FormerVersion<TextInput>)[] {
  const kept = [...unloaded.values()].flatMap(({ former }) => former ?? []);
  // One that drains is kept already.
  return [...versions, ...kept.filter(({ version }) => !versions.some((one) => one.version === version))];
}

function notLoaded(what: string, { state }: UnloadedVersion): VerdictError {
  const words = { unloaded: 'is not loaded', loading: 'is being loaded', failed: 'could not be loaded' }[
    state
  ];
  return new VerdictError('unavailable', `${what} ${words}`, { reason: 'MODEL_NOT_LOADED' });
}

function versionNotFound(name: string, version: string, trouble: string): VerdictError {
  return new VerdictError('not_found', trouble, {
    reason: 'VERSION_NOT_FOUND',
    resource: { type: 'version', name: `${name}/${version}` },
  });
}

function pathOf(name: string, version: string): string {
  return version === '' ? name : `${name}/${version}`;
}

function notFound(type: string, name: string, reason: string): VerdictError {
  return new VerdictError('not_found', `there is no ${type} ${name}`, { reason, resource: { type, name } });
}
