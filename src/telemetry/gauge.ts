import { Gauge, type Registry } from 'prom-client';
import type { Labels } from './counter-family.js';

/** One value of a gauge and its labels. */
export interface Reading {
  readonly labels?: Labels;
  readonly value: number;
}

/** A gauge that is read at scrape. */
export function gauge(
  registry: Registry,
  name: string,
  labelNames: readonly string[],
  help: string,
  read: () => Iterable<Reading>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of read()) this.set({ ...labels }, value);
    },
  });
}
