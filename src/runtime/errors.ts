/** The session process is gone, hung or closed: the batch may run again in another session. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

/** The batch did not fit in the device's memory: a smaller one may. The session may continue. */
export class SessionOutOfMemoryError extends Error {
  override readonly name = 'SessionOutOfMemoryError';
}

/** ONNX Runtime refused the batch; its message is the `cause`, only for logs. The session continues. */
export class SessionRunError extends Error {
  override readonly name = 'SessionRunError';
}

/**
 * Why a session could not be opened. `contract`: the model's inputs or output do not match what Verdict feeds and
 * reads; `load`: ONNX Runtime cannot read the file or start the device; `process`: the child process did not start,
 * died or took too long.
 */
export type OpenFailure = 'contract' | 'load' | 'process';

/** A session could not be opened. Its message is for operators: it names the file, the input and the expectation. */
export class SessionOpenError extends Error {
  override readonly name = 'SessionOpenError';
  readonly failure: OpenFailure;

  constructor(failure: OpenFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
