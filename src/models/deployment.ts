import { hash } from 'node:crypto';
import type { TextInput } from '../tokenizer/types.js';
import type { FormerVersion } from './former-version.js';
import { noRouting, type Routing } from './routing.js';
import { sharesOf } from './traffic.js';
import type { ModelState, ModelVersionView, ModelView } from './types.js';

/** What a deployment needs of a version that was loaded. */
export interface DeployableVersion {
  readonly name: string;
  readonly version: string;
  readonly state: ModelState;
  readonly view: ModelVersionView;
  /** What is to be kept of it once it is unloaded. */
  readonly former: FormerVersion<TextInput>;
  /** From now on its state is `draining`. */
  drain(): void;
  /** Answers what is queued and ends; when the signal aborts, the rest is refused. */
  close(signal: AbortSignal): Promise<void>;
}

/** A version that cannot serve requests, or not before it is loaded. */
export interface UnloadedVersion {
  readonly state: 'unloaded' | 'loading' | 'failed';
  /** Why it could not be loaded, or how far its load is, for everybody to read; empty where there is nothing to say. */
  readonly reason: string;
  /** What is kept of it since it was loaded last; undefined: it never was, or its files have changed since. */
  readonly former?: FormerVersion<TextInput> | undefined;
}

interface Deployed<V> {
  readonly loaded: V;
  /** It answers what it holds and gets no new requests. */
  readonly isRetired: boolean;
}

/** What decides which of the versions that share the requests an input goes to. */
export interface RoutedInput {
  readonly input: TextInput;
  /** What the caller wants kept together; undefined: the input alone decides. */
  readonly routingKey?: string | undefined;
}

/**
 * What a model's name stands for: its versions, and how requests that name no version are divided among them. While a division
 * lasts, the same key, or the same input, goes to the same version.
 */
export class Deployment<V extends DeployableVersion> {
  readonly name: string;
  /** Highest version first. */
  #versions: readonly Deployed<V>[] = [];
  /** Versions that are loading or could not be loaded. */
  readonly #unloaded = new Map<string, UnloadedVersion>();
  #routing = noRouting;
  /** The versions that get the requests that name none, part by equal part. Undefined: the version of that part is not here. */
  #parts: readonly (V | undefined)[] = [];
  #routed: readonly V[] = [];
  #isLoaded = false;
  /** A number that is higher than those of all models that were asked before. */
  lastUse = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether a version is loaded that gets requests, if only those that name it. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Whether it takes no more than a load for requests to be answered. */
  get isUnloaded(): boolean {
    return !this.#isLoaded && this.#unloaded.size > 0;
  }

  /** The loaded versions, highest first. */
  get versions(): readonly V[] {
    return this.#versions.map(({ loaded }) => loaded);
  }

  /** The versions that requests without a version go to, highest first. */
  get routed(): readonly V[] {
    return this.#routed;
  }

  /** The versions that are not loaded. */
  get unloaded(): ReadonlyMap<string, UnloadedVersion> {
    return this.#unloaded;
  }

  /** What is set about where requests go, whether or not the versions that it names are here. */
  get routing(): Routing {
    return this.#routing;
  }

  /** The version that most requests are routed to; undefined: none is. */
  get current(): V | undefined {
    return this.#largest(this.#routed);
  }

  /** Adds a version. @throws Error if its number is deployed already */
  add(version: V): void {
    if (this.#versions.some(({ loaded }) => loaded.version === version.version)) {
      throw new Error(`${this.name}/${version.version} is deployed already`);
    }
    this.#put(version);
  }

  /**
   * Adds a version and retires others, in one step. One of them may have the same number, with other content.
   * @param stays whether a version stays that has another number
   * @returns those that are retired now, and listed until they are removed
   */
  succeed(version: V, stays: (version: string) => boolean): readonly V[] {
    const former = this.retireAll((number) => number !== version.version && stays(number));
    this.#put(version);
    return former;
  }

  /**
   * From now on versions get no requests.
   * @param but whether a version stays
   * @returns those that got some before, which are listed until they are removed
   */
  retireAll(but: (version: string) => boolean = () => false): readonly V[] {
    const retired = this.#active().filter(({ version }) => !but(version));
    this.#versions = this.#versions.map((one) =>
      retired.includes(one.loaded) ? { ...one, isRetired: true } : one,
    );
    this.#redirect();
    return retired;
  }

  /**
   * From now on no version gets requests, until one is loaded again.
   * @returns those that got some before, which are listed until they are removed
   */
  unload(): readonly V[] {
    const retired = this.retireAll();
    for (const { version, former } of retired)
      this.announce(version, { state: 'unloaded', reason: '', former });
    return retired;
  }

  /** The versions that get requests, if only those that name them; highest first. */
  get active(): readonly V[] {
    return this.#active();
  }

  #put(version: V): void {
    this.#unloaded.delete(version.version);
    const added = { loaded: version, isRetired: false };
    this.#versions = [added, ...this.#versions].sort(
      (a, b) => Number(b.loaded.version) - Number(a.loaded.version),
    );
    this.#redirect();
  }

  /** Forgets what is known of a version that is not loaded. */
  forget(version: string): void {
    this.#unloaded.delete(version);
  }

  /** Records that a version is loading or could not be loaded. @param version empty if none was found */
  announce(version: string, unloaded: UnloadedVersion): void {
    this.#unloaded.set(version, unloaded);
  }

  remove(version: V): void {
    this.#versions = this.#versions.filter(({ loaded }) => loaded !== version);
  }

  /** Divides the requests that name no version, and gives versions other names, in one step. */
  route(routing: Routing): void {
    this.#routing = routing;
    this.#redirect();
  }

  #redirect(): void {
    const active = this.#active();
    const parts = (this.#routing.traffic ?? []).map((number) =>
      active.find(({ version }) => version === number),
    );
    const isHere = parts.some((version) => version !== undefined);
    this.#parts = isHere ? parts : active.slice(0, 1);
    this.#routed = active.filter((version) => this.#parts.includes(version));
    this.#isLoaded = active.length > 0;
  }

  #active(): readonly V[] {
    return this.#versions.filter(({ isRetired }) => !isRetired).map(({ loaded }) => loaded);
  }

  /** The version for a request that names it; undefined if it is not deployed or is retired. */
  find(version: string): V | undefined {
    return this.#versions.find(({ loaded, isRetired }) => loaded.version === version && !isRetired)?.loaded;
  }

  /** What an alias stands for; undefined for what is none. */
  versionOf(alias: string): string | undefined {
    return this.#routing.aliases.get(alias);
  }

  /** What is kept of the version that a request means, while none is loaded; undefined: nothing, or it is not clear which it is. */
  formerOf(version: string): FormerVersion<TextInput> | undefined {
    const [only, ...others] = this.#unloaded.values();
    if (version !== '') return this.#unloaded.get(this.versionOf(version) ?? version)?.former;
    return others.length === 0 ? only?.former : undefined;
  }

  /** The version for an input whose request names none; undefined if no version is routed to. */
  pick(asked: RoutedInput): V | undefined {
    if (this.#routed.length < 2) return this.#routed[0];
    const [place, again] = placesOf(this.name, asked);
    const own = partAt(this.#parts, place);
    if (own?.state === 'serving') return own;
    // A version that is away leaves its share to the others, so that its inputs need not wait. The others keep theirs.
    const serving = this.#parts.filter((version) => version?.state === 'serving');
    if (serving.length > 0) return partAt(serving, again);
    return own ?? partAt(this.#here(), again);
  }

  #here(): readonly (V | undefined)[] {
    return this.#parts.filter((version) => version !== undefined);
  }

  /** The version with the largest share; of equal ones the highest. */
  #largest(versions: readonly V[]): V | undefined {
    const partsOf = (version: V) => this.#parts.filter((one) => one === version).length;
    return versions.reduce<V | undefined>(
      (most, one) => (most === undefined || partsOf(one) > partsOf(most) ? one : most),
      undefined,
    );
  }

  /** Says of a version whose files have changed that they could not be loaded in its place. */
  #loadedView(version: V): ModelVersionView {
    const { view } = version;
    const found = this.#unloaded.get(version.version);
    if (found?.state !== 'failed' || view.stateReason !== '') return view;
    return { ...view, stateReason: `its files have changed and could not be loaded: ${found.reason}` };
  }

  view(isDefault: boolean, isPinned: boolean): ModelView {
    const serving = this.#largest(this.#routed.filter(({ state }) => state === 'serving'));
    const { traffic, aliases, shadow, rollback } = this.#routing;
    // A number stands for what answers under it now: what it stood for before is on its way out, or never came in.
    const loaded = this.#versions.filter(
      ({ loaded: { version }, isRetired }) => !isRetired || this.find(version) === undefined,
    );
    // A version that is on its way out of memory is told as that, as long as it is not on its way back.
    const isLeaving = (version: string, { state }: UnloadedVersion) =>
      state === 'unloaded' && loaded.some((one) => one.loaded.version === version);
    const unloaded = [...this.#unloaded]
      .filter(([version]) => version !== '' && this.find(version) === undefined)
      .filter(([version, found]) => !isLeaving(version, found))
      .map(([version, found]) => unloadedView(version, found));
    return {
      name: this.name,
      isDefault,
      isPinned,
      servingVersion: serving?.version ?? '',
      loaded: this.#isLoaded,
      versions: [...loaded.map((one) => this.#loadedView(one.loaded)), ...unloaded].sort(
        (a, b) => Number(b.version) - Number(a.version),
      ),
      traffic: [...sharesOf(traffic ?? [])].map(([version, percent]) => ({ version, percent })),
      aliases: [...aliases].sort().map(([alias, version]) => ({ alias, version })),
      ...(shadow === undefined ? {} : { shadow }),
      ...(rollback === undefined ? {} : { rollback }),
    };
  }
}

function partAt<V>(parts: readonly V[], place: number): V | undefined {
  return parts[Math.floor(place * parts.length)];
}

/**
 * Two numbers from 0 up to 1 that have nothing to do with each other. They depend on the model's name and the key, or the input,
 * alone: they are the same in every process, and a caller that goes to the new version of one model does not so of all.
 */
function placesOf(model: string, { input: { text, textPair }, routingKey }: RoutedInput): [number, number] {
  const what = routingKey === undefined ? ['input', text, textPair ?? ''] : ['key', routingKey];
  const digest = hash('sha256', [model, ...what].join('\0'));
  const wordAt = (at: number) => Number.parseInt(digest.slice(at, at + 8), 16) / 2 ** 32;
  return [wordAt(0), wordAt(8)];
}

function unloadedView(version: string, { state, reason, former }: UnloadedVersion): ModelVersionView {
  if (former !== undefined)
    return { ...former.view, state, stateReason: reason, readyInstances: 0, instances: 0, memoryBytes: 0 };
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
    memoryBytes: 0,
  };
}
