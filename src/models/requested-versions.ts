import { VerdictError } from '../errors.js';
import type { TextInput } from '../tokenizer/types.js';
import type { DeployableVersion, Deployment, RoutedInput, UnloadedVersion } from './deployment.js';
import type { FormerVersion } from './former-version.js';

/** What a request says about the model it means. */
export interface ModelRequest extends RoutedInput {
  /** Empty: the default model. */
  readonly model: string;
  /** A number or an alias. Empty: any version that requests are routed to. */
  readonly version: string;
}

/** What requests mean by the models and versions that they name. */
export class RequestedVersions<V extends DeployableVersion> {
  readonly #deployments: ReadonlyMap<string, Deployment<V>>;
  readonly #defaultModel: string;
  #uses = 0;

  /**
   * @param deployments by the names of their models; they come and go
   * @param defaultModel the model of requests that name none
   */
  constructor(deployments: ReadonlyMap<string, Deployment<V>>, defaultModel: string) {
    this.#deployments = deployments;
    this.#defaultModel = defaultModel;
  }

  /** The model that a request means, whether or not there is one of that name. */
  nameOf({ model }: Pick<ModelRequest, 'model'>): string {
    return model === '' ? this.#defaultModel : model;
  }

  /** Makes a model the one that was used last. */
  touch(model: string): void {
    const deployment = this.#deployments.get(model);
    if (deployment !== undefined) deployment.lastUse = ++this.#uses;
  }

  /**
   * The version that a request means. A version whose processes are being replaced still takes requests: they wait
   * in its queue.
   * @throws VerdictError not_found; unavailable for a model that is not loaded
   */
  resolve(request: ModelRequest): V {
    const found = this.ifLoaded(request);
    if (found !== undefined) return found;
    const name = this.nameOf(request);
    const [unloaded] = this.#deployments.get(name)?.unloaded.values() ?? [];
    if (unloaded !== undefined) throw notLoaded(`the model ${name}`, unloaded);
    throw modelNotFound(name);
  }

  /**
   * The version that a request means, if its model is loaded; this counts as its last use.
   * @returns undefined: the model is known, and none of its versions is loaded
   * @throws VerdictError not_found; unavailable for a version that is not loaded though others are, or for a model that is gone
   */
  ifLoaded(request: ModelRequest): V | undefined {
    const name = this.nameOf(request);
    const deployment = this.#deployments.get(name);
    if (deployment === undefined) throw modelNotFound(name);
    if (deployment.isUnloaded) {
      requireKnown(deployment, request.version);
      return undefined;
    }
    deployment.lastUse = ++this.#uses;
    const { version } = request;
    if (version !== '') {
      const meant = deployment.versionOf(version);
      const trouble = `version ${name}/${meant ?? version} is not loaded`;
      return named(
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

  /**
   * Requires a version that requests may be routed to: one that is loaded, or that a load of its model would bring.
   * @throws VerdictError not_found; unavailable for one that could not be loaded
   */
  require(model: string, version: string): void {
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw modelNotFound(model);
    const state = deployment.unloaded.get(version)?.state;
    if (deployment.isUnloaded && (state === 'unloaded' || state === 'loading')) return;
    named(deployment, version, `version ${model}/${version} is not loaded`);
  }

  /**
   * The versions that may have answers in the cache: those that are loaded, on their way out too, and what is kept of those that were.
   * @param model empty: those of all models
   * @throws VerdictError not_found; unavailable for a model of which no version ever was loaded
   */
  answering(model: string): readonly (V | FormerVersion<TextInput>)[] {
    if (model === '') return [...this.#deployments.values()].flatMap(answeringOf);
    const deployment = this.#deployments.get(model);
    if (deployment === undefined) throw modelNotFound(model);
    const found = answeringOf(deployment);
    const [unloaded] = deployment.unloaded.values();
    if (found.length === 0 && unloaded !== undefined) throw notLoaded(`the model ${model}`, unloaded);
    return found;
  }

  /** What is kept of the version that a request means, while its model is not loaded. */
  formerOf(request: Pick<ModelRequest, 'model' | 'version'>): FormerVersion<TextInput> | undefined {
    return this.#deployments.get(this.nameOf(request))?.formerOf(request.version);
  }
}

/** @throws VerdictError not_found for a version that a load of its model would not bring */
function requireKnown<V extends DeployableVersion>(deployment: Deployment<V>, asked: string): void {
  const { name, unloaded } = deployment;
  const version = deployment.versionOf(asked) ?? asked;
  if (version === '' || unloaded.has(version)) return;
  // Of a model that is being loaded or could not be, not all versions may be known.
  if ([...unloaded.values()].some(({ state }) => state !== 'unloaded')) return;
  throw versionNotFound(name, version, `version ${name}/${version} is not there`);
}

/**
 * The version of that number.
 * @param trouble what to say where nothing is known of it
 * @throws VerdictError not_found; unavailable for one that is not loaded
 */
function named<V extends DeployableVersion>(deployment: Deployment<V>, version: string, trouble: string): V {
  const found = deployment.find(version);
  if (found !== undefined) return found;
  const { name, versions, unloaded } = deployment;
  const others = versions.length === 0 ? [...unloaded.values()] : [];
  const trying = unloaded.get(version) ?? others[0];
  if (trying !== undefined) throw notLoaded(`the version ${name}/${version}`, trying);
  throw versionNotFound(name, version, trouble);
}

function answeringOf<V extends DeployableVersion>({
  versions,
  unloaded,
}: Deployment<V>): (V | FormerVersion<TextInput>)[] {
  const kept = [...unloaded.values()].flatMap(({ former }) => former ?? []);
  // One that drains is kept already.
  return [...versions, ...kept.filter(({ version }) => !versions.some((one) => one.version === version))];
}

/** The error of a model that there is not. */
export function modelNotFound(name: string): VerdictError {
  return new VerdictError('not_found', `there is no model ${name}`, {
    reason: 'MODEL_NOT_FOUND',
    resource: { type: 'model', name },
  });
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
