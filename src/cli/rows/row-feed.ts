import { type InputRow, isMalformed, type MalformedRow } from './row.js';

/**
 * The usable rows of a source. It ends instead of throwing: rows under way when reading fails still get their answers,
 * and the failure is reported after that.
 */
export class RowFeed implements AsyncIterable<InputRow> {
  readonly #rows: AsyncIterable<InputRow>;
  readonly #strict: boolean;
  #failure: { readonly error: unknown } | undefined;
  #stoppedAt: MalformedRow | undefined;

  /** @param options.strict whether it ends at the first malformed row */
  constructor(rows: AsyncIterable<InputRow>, { strict }: { readonly strict: boolean }) {
    this.#rows = rows;
    this.#strict = strict;
  }

  /** Why reading ended early. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** The malformed row at which a strict feed ended. */
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
