/** The labels that each metric has, with their values. */
export type Series = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** What a page in the Prometheus text format offers; a metric of which there is no series has no labels. */
export function scrapedSeries(page: string): Series {
  const series = new Map<string, Map<string, Set<string>>>();
  const labelsOf = (name: string): Map<string, Set<string>> => {
    const labels = series.get(name) ?? new Map<string, Set<string>>();
    series.set(name, labels);
    return labels;
  };
  for (const line of page.split('\n')) {
    const [, declared] = /^# TYPE (\S+)/.exec(line) ?? [];
    if (declared !== undefined) labelsOf(declared);
    const [, name, pairs = ''] = /^([a-z_]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = labelsOf(name);
    for (const [, label = '', value = ''] of pairs.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  return series;
}
