import { type InputRow, isMalformed, type MalformedRow } from './row.js';

/**
 * The rows of a source as far as they can be used. It ends instead of throwing: what is under way when reading fails is
 * still to be answered, and the failure told after that.
 */
export class RowFeed implements AsyncIterable<InputRow> {
  readonly #rows: AsyncIterable<InputRow>;
  readonly #strict: boolean;
  #failure: { readonly error: unknown } | undefined;
  #stoppedAt: MalformedRow | undefined;

  /** @param options.strict whether it ends with the first malformed row */
  constructor(rows: AsyncIterable<InputRow>, { strict }: { readonly strict: boolean }) {
    this.#rows = rows;
    this.#strict = strict;
  }

  /** Why reading ended early. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** The malformed row that a strict feed ended with. */
  get stoppedAt(): MalformedRow | undefined {
    return this.#stoppedAt;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<InputRow> {
    try {
      for await (const row of this.#rows) {
        if (this.#strict && isMalformed(row)) {
          this.#stoppedAt = row;
          yield row;
          return;
        }
        yield row;
      }
    } catch (error) {
      this.#failure = { error };
    }
  }
}
