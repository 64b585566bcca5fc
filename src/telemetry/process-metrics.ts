import { collectDefaultMetrics, type Registry } from 'prom-client';
import { gauge } from './gauge.js';

/**
 * The server's own process: CPU, memory, garbage collection, and the delay of its event loop since the last scrape.
 * Session processes are not included.
 *
 * @param eventLoopResolutionMs the smallest delay that is measured, which an idle loop also shows
 */
export function processMetrics(registry: Registry, version: string, eventLoopResolutionMs: number): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopResolutionMs });
  gauge(
    registry,
    'verdict_build_info',
    ['version', 'node'],
    'Always 1; the labels give the versions of the server and of Node.js.',
    () => [{ labels: { version, node: process.version }, value: 1 }],
  );
}
