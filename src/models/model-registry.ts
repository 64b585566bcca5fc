import { VerdictError } from '../errors.js';
import type { ModelVersion } from './model-version.js';
import type { ModelCatalog, ModelView } from './types.js';

/** The models that exist and the version of each that serves. */
export class ModelRegistry implements ModelCatalog {
  readonly #defaultModel: string;
  readonly #versions = new Map<string, ModelVersion>();
  readonly #listeners = new Set<() => void>();

  /** @param defaultModel the model of requests that name none */
  constructor(defaultModel: string) {
    this.#defaultModel = defaultModel;
  }

  add(version: ModelVersion): void {
    this.#versions.set(version.name, version);
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
   * @throws VerdictError not_found
   */
  resolve(name: string, version: string): ModelVersion {
    const wanted = name === '' ? this.#defaultModel : name;
    const found = this.#versions.get(wanted);
    if (found === undefined) throw notFound('model', wanted, 'MODEL_NOT_FOUND');
    if (version !== '' && version !== found.version)
      throw notFound('version', `${wanted}/${version}`, 'VERSION_NOT_FOUND');
    return found;
  }

  list(): readonly ModelView[] {
    return [...this.#versions.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((version) => this.#view(version));
  }

  get(name: string): ModelView {
    return this.#view(this.resolve(name, ''));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether every model serves, and if not, why not. */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    if (this.#versions.size === 0) return { ready: false, reasons: ['the models are being loaded'] };
    const reasons = [...this.#versions.values()]
      .filter((version) => version.state !== 'serving')
      .map(({ name, view }) => `${name} is ${view.state}${view.stateReason && `: ${view.stateReason}`}`);
    return { ready: reasons.length === 0, reasons };
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

  #view(version: ModelVersion): ModelView {
    const { view } = version;
    return {
      name: version.name,
      isDefault: version.name === this.#defaultModel,
      servingVersion: view.state === 'serving' ? version.version : '',
      versions: [view],
    };
  }
}

function notFound(type: string, name: string, reason: string): VerdictError {
  return new VerdictError('not_found', `there is no ${type} ${name}`, { reason, resource: { type, name } });
}
