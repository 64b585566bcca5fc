/** The exit codes of commands. Documented in docs/cli.md. */
export const EXIT = {
  /** Everything was done. */
  ok: 0,
  /** The command ran but found a problem: inputs failed, a model did not pass, or the server is not serving. */
  incomplete: 1,
  /** Wrong flags, or a file that cannot be opened or read. */
  usage: 2,
  /** The server did not answer: it could not be reached, the call failed, or rows of the input are malformed. */
  unanswered: 3,
  /** A bug in this command line, reported with its stack; or a clone that could not be built. EX_SOFTWARE. */
  defect: 70,
  /** Results could not be written: the disk is full, standard output is broken. EX_IOERR. */
  outputFailed: 74,
  /** Ended by Ctrl-C: 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;
