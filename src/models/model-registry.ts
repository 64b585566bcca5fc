import { VerdictError } from '../errors.js';
import type { TextInput } from '../tokenizer/types.js';
import { type DeployableVersion, Deployment, type UnloadedVersion } from './deployment.js';
import type { ModelCatalog, ModelView } from './types.js';

/** What a request says about the model it means. */
export interface ModelRequest {
  /** Empty: the default model. */
  readonly model: string;
  /** Empty: any version that requests are routed to. */
  readonly version: string;
  readonly input: TextInput;
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
  readonly #onRetired: (version: V) => void;

  /**
   * @param defaultModel the model of requests that name none
   * @param onRetired called when a retired version has answered all it held. Must not throw
   */
  constructor(defaultModel: string, onRetired: (version: V) => void = () => {}) {
    this.#defaultModel = defaultModel;
    this.#onRetired = onRetired;
  }

  /**
   * Puts a version into service: from now on requests that name no version go to it. The model's other versions still answer
   * requests that name them, until they are retired.
   * @throws Error if it is deployed already
   */
  deploy(version: V): void {
    const deployment = this.#deploymentOf(version.name);
    deployment.add(version);
    deployment.route({ [version.version]: 1 });
    this.changed();
  }

  /**
   * Divides the requests for a model that name no version.
   * @param weights by version; a version that is left out gets no requests
   * @throws Error if the model or a version is not deployed, a weight is negative, or no weight is above 0
   */
  route(model: string, weights: Readonly<Record<string, number>>): void {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw new Error(`${model} is not deployed`);
    deployment.route(weights);
    this.changed();
  }

  /**
   * Takes a version out of service: it gets no new requests, answers what it holds, and ends. When the signal aborts, it refuses
   * the rest.
   * @throws Error if it is not deployed, or if all requests are routed to it while there are other versions
   */
  async retire(model: string, version: string, signal: AbortSignal): Promise<void> {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw new Error(`${model} is not deployed`);
    const retired = deployment.retire(version);
    retired.drain();
    this.changed();
    try {
      await retired.close(signal);
    } finally {
      deployment.remove(retired);
      this.#onRetired(retired);
      if (deployment.versions.length === 0 && deployment.unloaded.size === 0) this.#deployments.delete(model);
      this.changed();
    }
  }

  /** Records that a version is loading, until it is deployed or could not be loaded. */
  addLoading(name: string, version: string): void {
    this.#deploymentOf(name).announce(version, { state: 'loading', reason: '' });
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
   * @throws VerdictError not_found; unavailable for a model that could not be loaded
   */
  resolve({ model, version, input }: ModelRequest): V {
    const name = model === '' ? this.#defaultModel : model;
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw notFound('model', name, 'MODEL_NOT_FOUND');
    const found = version === '' ? deployment.pick(input) : deployment.find(version);
    if (found !== undefined) return found;
    const unloaded = deployment.unloaded.get(version) ?? [...deployment.unloaded.values()][0];
    if (unloaded !== undefined && (deployment.versions.length === 0 || deployment.unloaded.has(version))) {
      throw notLoaded(version === '' ? `the model ${name}` : `the version ${name}/${version}`, unloaded);
    }
    // Its last version is being retired.
    if (version === '') {
      throw new VerdictError('unavailable', `the model ${name} is being stopped`, { reason: 'DRAINING' });
    }
    throw notFound('version', `${name}/${version}`, 'VERSION_NOT_FOUND');
  }

  /**
   * The versions that are loaded, those that are being retired too.
   * @param model empty: those of all models
   * @throws VerdictError not_found; unavailable for a model of which no version is loaded
   */
  loaded(model: string): readonly V[] {
    if (model === '') return this.#versions();
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw notFound('model', model, 'MODEL_NOT_FOUND');
    const [unloaded] = deployment.unloaded.values();
    if (deployment.versions.length === 0 && unloaded !== undefined)
      throw notLoaded(`the model ${model}`, unloaded);
    return deployment.versions;
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
    const isLoaded = deployments.some(({ versions }) => versions.length > 0);
    const reasons = deployments
      .flatMap(({ routed }) => routed)
      .filter(({ state }) => state !== 'serving')
      .map(({ name, version, view: { state, stateReason } }) =>
        [`${name}/${version} is ${state}`, stateReason].filter((words) => words !== '').join(': '),
      );
    const unloaded = deployments.flatMap(({ name, unloaded }) =>
      [...unloaded].map(([version, { state, reason }]) =>
        state === 'loading'
          ? `${name}/${version} is being loaded`
          : `${pathOf(name, version)} could not be loaded: ${reason}`,
      ),
    );
    return { ready: isLoaded && reasons.length === 0, reasons: [...reasons, ...unloaded] };
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
      this.#deployments.set(name, deployment);
    }
    return deployment;
  }

  #view(deployment: Deployment<V>): ModelView {
    return deployment.view(deployment.name === this.#defaultModel);
  }
}

function notLoaded(what: string, { state }: UnloadedVersion): VerdictError {
  const words = state === 'loading' ? 'is being loaded' : 'could not be loaded';
  return new VerdictError('unavailable', `${what} ${words}`, { reason: 'MODEL_NOT_LOADED' });
}

function pathOf(name: string, version: string): string {
  return version === '' ? name : `${name}/${version}`;
}

function notFound(type: string, name: string, reason: string): VerdictError {
  return new VerdictError('not_found', `there is no ${type} ${name}`, { reason, resource: { type, name } });
}
