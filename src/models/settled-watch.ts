export interface SettledWatchOptions {
  /** What is watched looks like this now. Two looks that agree saw the same. Must not reject. */
  readonly look: () => Promise<string>;
  /** It has changed, and has stayed the same since the look before. Must not reject. */
  readonly onChange: () => Promise<void>;
  readonly intervalMs: number;
}

/**
 * Looks at a folder or a file again and again, and tells of a change once two looks in a row have seen the same: somebody may be in
 * the middle of a copy. What was told once is not told again, whatever came of it.
 */
export class SettledWatch {
  readonly #options: SettledWatchOptions;
  #told: string | undefined;
  #last: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SettledWatchOptions) {
    this.#options = options;
  }

  /** Takes what is there now for known. Call this before it is read: what changes while it is read is a change. */
  async open(): Promise<void> {
    this.#told = await this.#options.look();
    this.#last = this.#told;
  }

  /** Looks from now on. */
  start(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.look().finally(() => this.start());
    }, this.#options.intervalMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Looks once. */
  async look(): Promise<void> {
    const seen = await this.#options.look();
    const isSettled = seen === this.#last;
    this.#last = seen;
    if (this.#isClosed || !isSettled || seen === this.#told) return;
    this.#told = seen;
    await this.#options.onChange();
  }
}
