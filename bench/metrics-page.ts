/** One scrape of a server's `/metrics`. */
export class MetricsPage {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }

  /**
   * The sum of the series of a metric that carry all these labels; 0 for no such series.
   *
   * @param name with its suffix, such as `verdict_batch_tokens_sum`
   */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let sum = 0;
    for (const line of this.#lines) {
      if (!line.startsWith(name) || !' {'.includes(line[name.length] ?? '')) continue;
      if (wanted.every((part) => line.includes(part))) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    }
    return sum;
  }
}
