/** What a load is expected to take where none was measured. */
const PRIOR_MS = 5_000;

interface Measured {
  readonly loadMs: number;
  readonly memoryBytes: number;
}

/** What loads have taken, by model: the best guess at what the next one takes. */
export class LoadForecast {
  /** The last load of each model. */
  readonly #measured = new Map<string, Measured>();

  /** @param memoryBytes of the model once it was loaded; 0: not known */
  record(model: string, loadMs: number, memoryBytes: number): void {
    this.#measured.set(model, { loadMs, memoryBytes });
  }

  /** Whether a load of the model was measured. */
  isMeasured(model: string): boolean {
    return this.#measured.has(model);
  }

  /** The models of which a load was measured. */
  get models(): Iterable<string> {
    return this.#measured.keys();
  }

  forget(model: string): void {
    this.#measured.delete(model);
  }

  /** How long a load of the model takes, in milliseconds: as long as its last one, else as one of the others. */
  loadMs(model: string): number {
    return this.#measured.get(model)?.loadMs ?? this.#mean(({ loadMs }) => loadMs) ?? PRIOR_MS;
  }

  /** How much memory the model takes: as much as the last time, else as one of the others; 0: nothing is known. */
  memoryBytes(model: string): number {
    return this.#measured.get(model)?.memoryBytes ?? this.#mean(({ memoryBytes }) => memoryBytes) ?? 0;
  }

  #mean(of: (measured: Measured) => number): number | undefined {
    const { size } = this.#measured;
    if (size === 0) return undefined;
    return [...this.#measured.values()].reduce((sum, one) => sum + of(one), 0) / size;
  }
}
