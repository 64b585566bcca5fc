/** Counts the streams of inputs that are open, those of all services together. */
export class OpenStreams {
  readonly #onChange: (count: number) => void;
  #count = 0;

  constructor(onChange: (count: number) => void) {
    this.#onChange = onChange;
  }

  opened(): void {
    this.#onChange(++this.#count);
  }

  readonly closed = (): void => this.#onChange(--this.#count);
}
