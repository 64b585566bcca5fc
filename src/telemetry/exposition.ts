import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import type { Exposition, MetricsFormat } from './types.js';

/** What a registry asks of a metric. */
interface Readable {
  name: string;
  readonly type?: string;
  get(): Promise<object>;
}

/**
 * The metrics of a registry. OpenMetrics has exemplars, which the older format of Prometheus lacks. prom-client renames the
 * counters of a registry for good when it writes OpenMetrics, so that is done with others in a registry of its own.
 */
export async function expose(registry: Registry, format: MetricsFormat): Promise<Exposition> {
  if (format === 'prometheus') return { contentType: registry.contentType, body: await registry.metrics() };
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  // prom-client's types know less of a metric than the registry asks for.
  for (const metric of registry.getMetricsAsArray() as unknown as readonly Readable[])
    open.registerMetric(inOpenMetrics(metric) as unknown as Metric);
  return { contentType: open.contentType, body: await open.metrics() };
}

/** In OpenMetrics a counter goes by its name without `_total`; its samples have it. */
function inOpenMetrics(metric: Readable): Readable {
  if (metric.type !== 'counter') return metric;
  const name = metric.name.replace(/_total$/, '');
  return { name, type: 'counter', get: async () => ({ ...(await metric.get()), name }) };
}
