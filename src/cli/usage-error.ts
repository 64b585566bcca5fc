/** An error that the user can fix on the command line or in a file; shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The reader of our output has left. The command ends quietly, like any command in a pipe. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/** Results could not be written. The message names their destination. */
export class OutputFailedError extends Error {
  override readonly name = 'OutputFailedError';
}
