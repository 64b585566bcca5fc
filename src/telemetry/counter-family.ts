import { Counter, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

/** Whether a series has these labels, and maybe others. */
export function hasLabels(series: Labels, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => series[name] === value);
}

/** One line of a counter. */
export class CounterSeries {
  value = 0;

  constructor(readonly labels: Labels) {}

  add(amount = 1): void {
    this.value += amount;
  }
}

/**
 * A counter whose series count in a plain field and reach prom-client at scrape. prom-client's own `inc` hashes the
 * labels each time, which is too slow for several calls per input.
 */
export class CounterFamily {
  readonly #series = new Set<CounterSeries>();

  /** @param refresh called at each scrape, for series whose value is kept elsewhere */
  constructor(
    registry: Registry,
    name: string,
    labelNames: readonly string[],
    help: string,
    refresh?: () => void,
  ) {
    const series = this.#series;
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        refresh?.();
        this.reset();
        for (const { labels, value } of series) this.inc({ ...labels }, value);
      },
    });
  }

  /** Adds a series, at 0. */
  series(labels: Labels = {}): CounterSeries {
    const added = new CounterSeries(labels);
    this.#series.add(added);
    return added;
  }

  /** Forgets all series that have these labels. */
  forget(labels: Labels): void {
    for (const series of this.#series) if (hasLabels(series.labels, labels)) this.#series.delete(series);
  }

  /** One series per value of the last label. */
  byValue<V extends string>(
    label: string,
    values: readonly V[],
    labels: Labels = {},
  ): Record<V, CounterSeries> {
    const entries = values.map((value) => [value, this.series({ ...labels, [label]: value })]);
    return Object.fromEntries(entries) as Record<V, CounterSeries>;
  }
}
