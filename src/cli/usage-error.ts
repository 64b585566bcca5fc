/** What the user can put right on the command line or in a file: shown as it is, without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Whoever read our output has gone. The work ends quietly, as with any command in a pipe. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/** Results could not be written, although somebody wants them. The message names where they were to go. */
export class OutputFailedError extends Error {
  override readonly name = 'OutputFailedError';
}
