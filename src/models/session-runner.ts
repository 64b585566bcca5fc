import { OutOfMemoryError, type Runner, RunnerLostError } from '../batching/types.js';
import { SessionLostError, SessionOutOfMemoryError } from '../runtime/errors.js';
import type { Session } from '../runtime/types.js';
import type { Encoding } from '../tokenizer/types.js';

/** A session as the batcher sees it: encodings in, logits out, failures in the batcher's words. */
export class SessionRunner implements Runner<Encoding, Float32Array> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async run(items: readonly Encoding[]): Promise<{ values: readonly Float32Array[]; runMs: number }> {
    try {
      const { logits, runMs } = await this.#session.run(items);
      return { values: logits, runMs };
    } catch (error) {
      if (error instanceof SessionLostError) throw new RunnerLostError(error.message, { cause: error });
      if (error instanceof SessionOutOfMemoryError)
        throw new OutOfMemoryError(error.message, { cause: error });
      throw error;
    }
  }
}
