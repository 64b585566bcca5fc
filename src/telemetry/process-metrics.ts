import { collectDefaultMetrics, type Registry } from 'prom-client';
import { gauge } from './gauge.js';

/**
 * The server's own process: CPU, memory, garbage collection, and the delay of its event loop since the last scrape,
 * sampled every millisecond. Sessions have processes of their own, which these do not count.
 */
export function processMetrics(registry: Registry, version: string): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1 });
  gauge(registry, 'verdict_build_info', ['version', 'node'], 'Always 1; the labels say what runs.', () => [
    { labels: { version, node: process.version }, value: 1 },
  ]);
}
