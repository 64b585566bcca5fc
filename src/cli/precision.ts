import { UsageError } from './usage-error.js';

const PRECISIONS = ['fp32', 'int8', 'fp16'] as const;

/** @throws UsageError for another word */
export function precisionOf(given: string): (typeof PRECISIONS)[number] {
  const known = PRECISIONS.find((precision) => precision === given);
  if (known === undefined)
    throw new UsageError(`--precision must be one of ${PRECISIONS.join(', ')}; got "${given}"`);
  return known;
}
