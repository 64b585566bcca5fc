import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { at, type JsonValue } from '../support/json-value.js';
import { readQuery, type Selector } from '../support/promql.js';
import { repositoryRoot } from '../support/repository.js';
import { type Series, scrapedSeries } from '../support/scraped-series.js';
import { Service } from '../support/service.js';
import { entriesOf, itemsOf, textOf, yamlFile } from '../support/yaml-file.js';

const dashboard = yamlFile('deploy/compose/grafana/verdict.json');
const rules = itemsOf(at(yamlFile('deploy/compose/prometheus/alerts.yaml'), 'groups')).flatMap((group) =>
  itemsOf(at(group, 'rules')),
);
const scrapeJobs = itemsOf(at(yamlFile('deploy/compose/prometheus/prometheus.yaml'), 'scrape_configs')).map(
  (config) => textOf(at(config, 'job_name')),
);
const metricsPage = readFileSync(join(repositoryRoot, 'docs/metrics.md'), 'utf8');

interface Asked {
  /** Where the query stands. */
  readonly place: string;
  readonly query: string;
  /** Labels that the text beside it fills in. */
  readonly filledIn: readonly string[];
}

const ofPanels: Asked[] = itemsOf(at(dashboard, 'panels')).flatMap((panel) =>
  itemsOf(at(panel, 'targets')).map((target) => ({
    place: `the panel ${textOf(at(panel, 'title'))}`,
    query: textOf(at(target, 'expr')),
    filledIn: labelsIn(at(target, 'legendFormat')),
  })),
);
const ofRules: Asked[] = rules.map((rule) => ({
  place: `the rule ${textOf(at(rule, 'alert') ?? at(rule, 'record'))}`,
  query: textOf(at(rule, 'expr')),
  filledIn: labelsIn(at(rule, 'annotations', 'summary')),
}));
const ofVariables = itemsOf(at(dashboard, 'templating', 'list')).map((variable) => {
  const [, metric = '', label = ''] =
    /^label_values\((\w+), (\w+)\)$/.exec(textOf(at(variable, 'query', 'query'))) ?? [];
  return { metric, label };
});

/** The labels that a legend or a summary names: `{{model}}`, `{{ $labels.model }}`. */
function labelsIn(template: JsonValue): string[] {
  const places = [...(template === null ? '' : textOf(template)).matchAll(/\{\{(.*?)\}\}/g)].map(
    ([, place = '']) => place,
  );
  return places.map((place) => /\$labels\.(\w+)/.exec(place)?.[1] ?? place.trim());
}

/** With a span in the place of Grafana's own, which is made of the scrape interval. */
function withoutMacros(query: string): string {
  return query.replaceAll('$__rate_interval', '1m');
}

describe('the dashboard and the alerts, against a server', () => {
  let series: Series;

  before(async () => {
    const service = await Service.start(['topics']);
    try {
      series = withBuiltIn(scrapedSeries(await (await service.page('/metrics')).text()));
    } finally {
      await service.stop();
    }
  });

  /** Adds what Prometheus adds, what the rules record, and the labels of what only a GPU reports. */
  function withBuiltIn(scraped: Series): Series {
    const all = new Map([...scraped].map(([name, labels]) => [name, new Map(labels)]));
    for (const name of ['up', 'ALERTS']) all.set(name, new Map());
    for (const [name, labels] of all) {
      labels.set('job', new Set(scrapeJobs)).set('instance', new Set());
      if (!name.startsWith('verdict_gpu_')) continue;
      const [, listed = ''] =
        new RegExp(`^\\| \`${name}\` \\| \\w+ \\| (.*?) \\|`, 'm').exec(metricsPage) ?? [];
      for (const [, label = ''] of listed.matchAll(/`(\w+)`/g)) labels.set(label, new Set());
    }
    for (const rule of rules) {
      const name = at(rule, 'record');
      if (name !== null) all.set(textOf(name), new Map([['job', new Set(scrapeJobs)]]));
    }
    return all;
  }

  function assertKnown(place: string, { metric, matchers }: Selector): void {
    const labels = series.get(metric);
    assert.ok(labels !== undefined, `${place}: the server exports no ${metric}`);
    for (const { label, operator, value } of matchers) {
      const values = labels.get(label);
      assert.ok(values !== undefined, `${place}: ${metric} has no label ${label}`);
      if (value.startsWith('$') || values.size === 0) continue;
      for (const wanted of operator.endsWith('~') ? value.split('|') : [value]) {
        assert.ok(values.has(wanted), `${place}: ${metric} has no ${label}="${wanted}"`);
      }
    }
  }

  for (const { place, query, filledIn } of [...ofPanels, ...ofRules]) {
    it(`${place} asks for series that there are: ${query.replaceAll(/\s+/g, ' ').slice(0, 60)}`, () => {
      const { selectors, groupings } = readQuery(withoutMacros(query));
      assert.ok(selectors.length > 0);
      for (const selector of selectors) assertKnown(place, selector);
      for (const { label, metrics } of groupings) {
        for (const metric of metrics) {
          assert.ok(series.get(metric)?.has(label), `${place}: ${metric} has no label ${label}`);
        }
      }
      for (const label of filledIn) {
        const sources = selectors.filter(({ metric }) => series.get(metric)?.has(label));
        assert.ok(sources.length > 0, `${place}: nothing in the query has the label ${label}`);
      }
    });
  }

  it('fills the choices above the dashboard from labels that there are', () => {
    assert.deepEqual(
      itemsOf(at(dashboard, 'templating', 'list')).map((variable) => at(variable, 'name')),
      ['instance', 'model'],
    );
    for (const { metric, label } of ofVariables)
      assert.ok(series.get(metric)?.has(label), `${metric} ${label}`);
  });

  it('shows every kind of thing that an operator has to see', () => {
    const asked = new Set(
      ofPanels.flatMap(({ query }) => readQuery(withoutMacros(query)).selectors.map(({ metric }) => metric)),
    );
    for (const metric of [
      ...['inference_requests_total', 'grpc_server_handled_total', 'verdict_stage_duration_seconds_bucket'],
      ...['verdict_batch_items_sum', 'verdict_batch_padded_tokens_sum', 'verdict_queue_items'],
      ...['verdict_cache_requests_total', 'verdict_shed_total', 'verdict_utilization'],
      ...['nodejs_eventloop_lag_p99_seconds', 'verdict_instances_ready', 'verdict_redis_breaker_state'],
      'verdict_gpu_utilization_ratio',
    ]) {
      assert.ok(asked.has(metric), metric);
    }
  });

  it('finds its panels in the data source that is provisioned, each at a place of its own', () => {
    const source = at(yamlFile('deploy/compose/grafana/datasource.yaml'), 'datasources', 0, 'uid');
    const taken = new Set<string>();
    const ids = new Set<JsonValue>();
    for (const panel of itemsOf(at(dashboard, 'panels'))) {
      const title = textOf(at(panel, 'title'));
      assert.ok(!ids.has(at(panel, 'id')), `${title} shares its number`);
      ids.add(at(panel, 'id'));
      for (const target of itemsOf(at(panel, 'targets'))) {
        assert.equal(at(target, 'datasource', 'uid'), source, title);
      }
      const { x, y, w, h } = Object.fromEntries(entriesOf(at(panel, 'gridPos'))) as Record<string, number>;
      for (let row = Number(y); row < Number(y) + Number(h); row += 1) {
        for (let column = Number(x); column < Number(x) + Number(w); column += 1) {
          assert.ok(column < 24 && !taken.has(`${column},${row}`), `${title} lies on another panel`);
          taken.add(`${column},${row}`);
        }
      }
    }
  });
});
