/** What a command ends with. Documented in docs/cli.md. */
export const EXIT = {
  /** Everything was done. */
  ok: 0,
  /** The command ran, and what it reports is not all well: inputs failed, a model is not sound, not serving. */
  incomplete: 1,
  /** Wrong flags, or a file that cannot be read or written. */
  usage: 2,
  /** The server could not be reached, or refused the call. */
  callFailed: 3,
  /** A defect of this command line, told with its stack; also a clone that could not be built. EX_SOFTWARE. */
  defect: 70,
  /** Ended by Ctrl-C: 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;
