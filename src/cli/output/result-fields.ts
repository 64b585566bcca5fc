/** Every name that a line of output may hold by itself; a column that is passed through takes none of them. */
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
