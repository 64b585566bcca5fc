import { collectDefaultMetrics, type Registry } from 'prom-client';
import { gauge } from './gauge.js';

/**
 * The server's own process: CPU, memory, garbage collection, and the delay of its event loop since the last scrape.
 * Sessions have processes of their own, which these do not count.
 *
 * @param eventLoopResolutionMs the least delay that is seen, and what an idle loop shows
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
