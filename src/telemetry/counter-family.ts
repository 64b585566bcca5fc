import { Counter, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

/** One line of a counter. */
export class CounterSeries {
  value = 0;

  constructor(readonly labels: Labels) {}

  add(amount = 1): void {
    this.value += amount;
  }
}

/**
 * A counter whose series count in a plain field and reach prom-client at scrape: its own `inc` hashes the labels each
 * time, which the path of one item cannot afford several times over.
 */
export class CounterFamily {
  readonly #series: CounterSeries[] = [];

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
    this.#series.push(added);
    return added;
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
