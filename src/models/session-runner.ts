import { InputFailure, OutOfMemoryError, type Runner, RunnerLostError } from '../batching/types.js';
import { VerdictError } from '../errors.js';
import { SessionLostError, SessionOutOfMemoryError } from '../runtime/errors.js';
import type { Encoded } from '../runtime/feeds.js';
import type { Session } from '../runtime/types.js';

/** A session as the batcher sees it: encoded inputs in, logits out, failures in the batcher's words. */
export class SessionRunner implements Runner<Encoded, Float32Array> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async run(
    items: readonly Encoded[],
  ): Promise<{ values: readonly (Float32Array | InputFailure)[]; runMs: number }> {
    try {
      const { logits, runMs } = await this.#session.run(items);
      return { values: logits.map((row) => (row.every(Number.isFinite) ? row : notFinite())), runMs };
    } catch (error) {
      if (error instanceof SessionLostError) throw new RunnerLostError(error.message, { cause: error });
      if (error instanceof SessionOutOfMemoryError)
        throw new OutOfMemoryError(error.message, { cause: error });
      throw error;
    }
  }
}

/** Nothing can be said of an input whose logits overflow, and no number of them is worth keeping. */
function notFinite(): InputFailure {
  return new InputFailure(
    new VerdictError('internal', 'the model computed NaN or infinity for this input', {
      reason: 'NON_FINITE_LOGITS',
    }),
  );
}
