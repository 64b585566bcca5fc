/** What a command ends with. Documented in docs/cli.md. */
export const EXIT = {
  /** Everything was done. */
  ok: 0,
  /** The command ran, and what it reports is not all well: inputs failed, a model is not sound, not serving. */
  incomplete: 1,
  /** Wrong flags, or a file that cannot be opened or read. */
  usage: 2,
  /** The server did not get to answer: it could not be reached, the call failed, or rows of the input are malformed. */
  unanswered: 3,
  /** A defect of this command line, told with its stack; also a clone that could not be built. EX_SOFTWARE. */
  defect: 70,
  /** Results could not be written: the disk is full, standard output is broken. EX_IOERR. */
  outputFailed: 74,
  /** Ended by Ctrl-C: 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;
