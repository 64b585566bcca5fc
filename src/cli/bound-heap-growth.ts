import { setFlagsFromString } from 'node:v8';

/**
 * How much the JavaScript heap may grow over what is alive before it is collected, in percent. V8 by itself lets it grow
 * to several times that when collecting looks cheap, and a full cache that evicts all the time fills whatever room there
 * is: with 40 MB alive the heap went to 160 MB. At 50 it stays within 70 MB, for about as much time in collections
 * (docs/performance.md).
 */
const GROWTH_PERCENT = 50;

/** Keeps the heap near what is alive. V8 reads this setting at each collection, so it may come after the start. */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
