import type { MetricsFormat } from '../telemetry/types.js';

/**
 * The format for a reader of metrics: OpenMetrics for one that reads its version 1.0.0. Prometheus names all formats that it
 * reads, and likes that one better.
 *
 * @param accept the reader's `accept` header
 */
export function metricsFormat(accept: string): MetricsFormat {
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()));
  const isOpen = ranges.some(
    ([type, ...options]) => type === 'application/openmetrics-text' && options.includes('version=1.0.0'),
  );
  return isOpen ? 'openmetrics' : 'prometheus';
}
