/** The names of all output fields; a kept column takes none of them. */
export const RESULT_FIELDS: ReadonlySet<string> = new Set([
  'index',
  'line',
  'text',
  'textPair',
  'expected',
  'correct',
  'label',
  'score',
  'predictions',
  'model',
  'version',
  'tokenCount',
  'truncated',
  'cache',
  'timings',
  'error',
]);
