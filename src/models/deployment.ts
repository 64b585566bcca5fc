import { crc32 } from 'node:zlib';
import type { TextInput } from '../tokenizer/types.js';
import type { ModelState, ModelVersionView, ModelView } from './types.js';

/** What a deployment needs of a version that was loaded. */
export interface DeployableVersion {
  readonly name: string;
  readonly version: string;
  readonly state: ModelState;
  readonly view: ModelVersionView;
  /** From now on its state is `draining`. */
  drain(): void;
  /** Answers what is queued and ends; when the signal aborts, the rest is refused. */
  close(signal: AbortSignal): Promise<void>;
}

/** A version that cannot serve requests. */
export interface UnloadedVersion {
  readonly state: 'loading' | 'failed';
  /** Why it could not be loaded, for everybody to read; empty while it is being loaded. */
  readonly reason: string;
}

interface Deployed<V> {
  readonly loaded: V;
  /** Its share of the requests that name no version, relative to the other weights. */
  readonly weight: number;
  /** It answers what it holds and gets no new requests. */
  readonly isRetired: boolean;
}

/**
 * What a model's name stands for: its versions, and how requests that name no version are divided among them. While the weights
 * stay the same, the same input goes to the same version, so a split does not halve the cache's hit rate.
 */
export class Deployment<V extends DeployableVersion> {
  readonly name: string;
  /** Highest version first. */
  #versions: readonly Deployed<V>[] = [];
  /** Versions that are loading or could not be loaded. */
  readonly #unloaded = new Map<string, UnloadedVersion>();

  constructor(name: string) {
    this.name = name;
  }

  /** The loaded versions, highest first. */
  get versions(): readonly V[] {
    return this.#versions.map(({ loaded }) => loaded);
  }

  /** The versions that requests without a version go to. */
  get routed(): readonly V[] {
    return this.#versions.filter(({ weight }) => weight > 0).map(({ loaded }) => loaded);
  }

  /** The versions that are not loaded. */
  get unloaded(): ReadonlyMap<string, UnloadedVersion> {
    return this.#unloaded;
  }

  /** The version that most requests are routed to; undefined: none is. */
  get current(): V | undefined {
    return mostWeight(this.#versions)?.loaded;
  }

  /** Adds a version, which then answers requests that name it. @throws Error if it is deployed already */
  add(version: V): void {
    if (this.#versions.some(({ loaded }) => loaded.version === version.version)) {
      throw new Error(`${this.name}/${version.version} is deployed already`);
    }
    this.#put(version, this.#versions, 0);
  }

  /**
   * Puts a version in the place of all others, in one step: from now on it alone gets requests. One of them may have the same
   * number, with other content.
   * @returns those that now get none, and are listed until they are removed
   */
  succeed(version: V): readonly V[] {
    const former = this.retireAll();
    this.#put(version, this.#versions, 1);
    return former;
  }

  /** From now on no version gets requests. @returns those that did before, which are listed until they are removed */
  retireAll(): readonly V[] {
    const retired = this.#versions.filter(({ isRetired }) => !isRetired).map(({ loaded }) => loaded);
    this.#versions = this.#versions.map(({ loaded }) => ({ loaded, weight: 0, isRetired: true }));
    return retired;
  }

  #put(version: V, others: readonly Deployed<V>[], weight: number): void {
    this.#unloaded.delete(version.version);
    const added = { loaded: version, weight, isRetired: false };
    this.#versions = [added, ...others].sort((a, b) => Number(b.loaded.version) - Number(a.loaded.version));
  }

  /** Forgets what is known of a version that is not loaded. */
  forget(version: string): void {
    this.#unloaded.delete(version);
  }

  /** Records that a version is loading or could not be loaded. @param version empty if none was found */
  announce(version: string, unloaded: UnloadedVersion): void {
    this.#unloaded.set(version, unloaded);
  }

  /**
   * From now on the version gets no requests. It is listed until it is removed.
   * @throws Error if it is not deployed, or if all requests are routed to it while there are other versions
   */
  retire(version: string): V {
    const found = this.find(version);
    if (found === undefined) throw new Error(`${this.name}/${version} is not deployed`);
    const rest = this.#versions.filter(({ loaded, isRetired }) => loaded !== found && !isRetired);
    if (rest.length > 0 && rest.every(({ weight }) => weight === 0)) {
      throw new Error(`all requests are routed to ${this.name}/${version}: route them elsewhere first`);
    }
    this.#versions = this.#versions.map((one) =>
      one.loaded === found ? { ...one, weight: 0, isRetired: true } : one,
    );
    return found;
  }

  remove(version: V): void {
    this.#versions = this.#versions.filter(({ loaded }) => loaded !== version);
  }

  /**
   * Divides the requests that name no version, in one step.
   * @param weights by version; a version that is left out gets no requests
   * @throws Error if a version is not deployed, a weight is negative, or no weight is above 0
   */
  route(weights: Readonly<Record<string, number>>): void {
    for (const [version, weight] of Object.entries(weights)) {
      if (this.find(version) === undefined) throw new Error(`${this.name}/${version} is not deployed`);
      if (!Number.isFinite(weight) || weight < 0) {
        throw new Error(`the weight of ${this.name}/${version} must be a number of at least 0`);
      }
    }
    const routed = this.#versions.map((one) =>
      one.isRetired ? one : { ...one, weight: weights[one.loaded.version] ?? 0 },
    );
    if (routed.every(({ weight }) => weight === 0))
      throw new Error(`no version of ${this.name} has a weight`);
    this.#versions = routed;
  }

  /** The version for a request that names it; undefined if it is not deployed or is retired. */
  find(version: string): V | undefined {
    return this.#versions.find(({ loaded, isRetired }) => loaded.version === version && !isRetired)?.loaded;
  }

  /** The version for an input whose request names none; undefined if no version is routed to. */
  pick(input: TextInput): V | undefined {
    const [first, ...others] = this.#versions.filter(({ weight }) => weight > 0);
    if (first === undefined || others.length === 0) return first?.loaded;
    const routed = [first, ...others];
    // A version without a live session leaves its share to the others, so that its inputs need not wait.
    const serving = routed.filter(({ loaded }) => loaded.state === 'serving');
    const candidates = serving.length > 0 ? serving : routed;
    let left = shareOf(input) * candidates.reduce((sum, { weight }) => sum + weight, 0);
    for (const { loaded, weight } of candidates) {
      left -= weight;
      if (left < 0) return loaded;
    }
    return candidates.at(-1)?.loaded;
  }

  /** Says of a version whose files have changed that they could not be loaded in its place. */
  #loadedView(version: V): ModelVersionView {
    const { view } = version;
    const found = this.#unloaded.get(version.version);
    if (found?.state !== 'failed' || view.stateReason !== '') return view;
    return { ...view, stateReason: `its files have changed and could not be loaded: ${found.reason}` };
  }

  view(isDefault: boolean): ModelView {
    const serving = mostWeight(this.#versions.filter(({ loaded }) => loaded.state === 'serving'));
    // A number stands for what answers under it now: what it stood for before is on its way out, or never came in.
    const loaded = this.#versions.filter(
      ({ loaded: { version }, isRetired }) => !isRetired || this.find(version) === undefined,
    );
    const unloaded = [...this.#unloaded]
      .filter(([version]) => version !== '' && this.find(version) === undefined)
      .map(([version, found]) => unloadedView(version, found));
    return {
      name: this.name,
      isDefault,
      servingVersion: serving?.loaded.version ?? '',
      loaded: this.#versions.length > 0,
      versions: [...loaded.map((one) => this.#loadedView(one.loaded)), ...unloaded].sort(
        (a, b) => Number(b.version) - Number(a.version),
      ),
    };
  }
}

/** Undefined where none has a weight. */
function mostWeight<V>(versions: readonly Deployed<V>[]): Deployed<V> | undefined {
  return versions
    .filter(({ weight }) => weight > 0)
    .reduce<Deployed<V> | undefined>(
      (most, one) => (most === undefined || one.weight > most.weight ? one : most),
      undefined,
    );
}

/** A number from 0 to 1 that depends on the input alone: it is the same in every process. */
function shareOf({ text, textPair }: TextInput): number {
  const first = crc32(text);
  return (textPair === undefined ? first : crc32(textPair, first)) / 2 ** 32;
}

function unloadedView(version: string, { state, reason }: UnloadedVersion): ModelVersionView {
  return {
    version,
    state,
    stateReason: reason,
    labels: [],
    problemType: undefined,
    maxTokens: 0,
    batchBudgetTokens: 0,
    precision: undefined,
    device: undefined,
    digest: '',
    batching: undefined,
    appliedActivation: undefined,
    defaultTruncation: undefined,
    readyInstances: 0,
    instances: 0,
    cost: { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 },
    costSamples: [],
  };
}
