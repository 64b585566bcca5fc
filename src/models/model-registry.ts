import { VerdictError } from '../errors.js';
import type { ModelVersion } from './model-version.js';
import type { ModelCatalog, ModelVersionView, ModelView } from './types.js';

/** A version that could not be loaded. */
export interface FailedVersion {
  readonly name: string;
  /** Empty where not even a version was found. */
  readonly version: string;
  /** Why, for everybody to read: no path but those below the models folder. */
  readonly reason: string;
}

/** The models that exist and the version of each that serves, or why none does. */
export class ModelRegistry implements ModelCatalog {
  readonly #defaultModel: string;
  readonly #versions = new Map<string, ModelVersion>();
  readonly #failed = new Map<string, FailedVersion>();
  readonly #listeners = new Set<() => void>();

  /** @param defaultModel the model of requests that name none */
  constructor(defaultModel: string) {
    this.#defaultModel = defaultModel;
  }

  add(version: ModelVersion): void {
    this.#versions.set(version.name, version);
    this.changed();
  }

  /** Keeps in mind that a model is there and could not be loaded. */
  addFailed(version: FailedVersion): void {
    this.#failed.set(version.name, version);
    this.changed();
  }

  /** Tells the listeners that a state may have changed. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /**
   * The version that a request means. A version whose processes are being replaced still takes requests: they wait
   * in its queue.
   *
   * @param name empty: the default model
   * @param version empty: the one that serves
   * @throws VerdictError not_found; unavailable for a model that could not be loaded
   */
  resolve(name: string, version: string): ModelVersion {
    const wanted = name === '' ? this.#defaultModel : name;
    const found = this.#versions.get(wanted);
    if (found === undefined) {
      if (!this.#failed.has(wanted)) throw notFound('model', wanted, 'MODEL_NOT_FOUND');
      throw new VerdictError('unavailable', `the model ${wanted} could not be loaded`, {
        reason: 'MODEL_NOT_LOADED',
      });
    }
    if (version !== '' && version !== found.version)
      throw notFound('version', `${wanted}/${version}`, 'VERSION_NOT_FOUND');
    return found;
  }

  list(): readonly ModelView[] {
    const views = [
      ...[...this.#versions.values()].map(({ name, view }) => this.#model(name, view, true)),
      ...[...this.#failed.values()].map((failed) => this.#model(failed.name, failedView(failed), false)),
    ];
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): ModelView {
    const failed = this.#failed.get(name);
    if (failed !== undefined) return this.#model(name, failedView(failed), false);
    const version = this.resolve(name, '');
    return this.#model(version.name, version.view, true);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Whether every model that was loaded serves, and what does not. Models that could not be loaded are named, but do not
   * count: the others are there to be asked.
   */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    if (this.#versions.size === 0) return { ready: false, reasons: ['the models are being loaded'] };
    const reasons = [...this.#versions.values()]
      .filter((version) => version.state !== 'serving')
      .map(({ name, view }) => `${name} is ${view.state}${view.stateReason && `: ${view.stateReason}`}`);
    const failed = [...this.#failed.values()].map(
      ({ name, reason }) => `${name} could not be loaded: ${reason}`,
    );
    return { ready: reasons.length === 0, reasons: [...reasons, ...failed] };
  }

  /** Every model takes leave; what has been accepted is still answered. */
  drain(): void {
    for (const version of this.#versions.values()) version.drain();
    this.changed();
  }

  /** Answers what is queued and ends the runtime processes. When the signal aborts, the rest is refused. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#versions.values()].map((version) => version.close(signal)));
  }

  #model(name: string, view: ModelVersionView, loaded: boolean): ModelView {
    return {
      name,
      isDefault: name === this.#defaultModel,
      servingVersion: view.state === 'serving' ? view.version : '',
      loaded,
      versions: view.version === '' ? [] : [view],
    };
  }
}

function failedView({ version, reason }: FailedVersion): ModelVersionView {
  return {
    version,
    state: 'failed',
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

function notFound(type: string, name: string, reason: string): VerdictError {
  return new VerdictError('not_found', `there is no ${type} ${name}`, { reason, resource: { type, name } });
}
