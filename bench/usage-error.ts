/** The command line asks for something that there is not. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError';
}
