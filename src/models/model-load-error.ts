/** A model version that cannot be served: which file is wrong, and what was expected of it. For operators, not callers. */
export class ModelLoadError extends Error {
  override readonly name = 'ModelLoadError';

  constructor(path: string, expectation: string, cause?: unknown) {
    super(`${path}: ${expectation}`, cause === undefined ? undefined : { cause });
  }
}
