import { setFlagsFromString } from 'node:v8';

/**
 * How much the JavaScript heap may grow beyond live data before a collection, in percent. By default, V8 lets it grow
 * to several times that if collecting looks cheap, and a full cache that evicts all the time fills any room: with 40 MB
 * alive the heap grew to 160 MB. At 50 it stays within 70 MB, for about the same time in collections
 * (docs/performance.md).
 */
const GROWTH_PERCENT = 50;

/**
 * Keeps the heap close to the live data. V8 reads this setting at each collection, so it can be set after the start.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
