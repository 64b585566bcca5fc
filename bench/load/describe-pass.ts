import type { OfflinePass } from '../reference/offline-ceiling.js';
import { formatNumber } from '../report/format-value.js';
import { quantile } from '../statistics.js';
import type { LoadResult } from './closed-loop.js';
import type { ServedPass } from './served-load.js';

/** For the terminal: `104 texts/s, p99 310 ms`. */
export function describePass(pass: LoadResult | OfflinePass): string {
  const rate = `${formatNumber(pass.textsPerSecond)} texts/s`;
  return 'latenciesMs' in pass ? `${rate}, p99 ${formatNumber(quantile(pass.latenciesMs, 0.99))} ms` : rate;
}

/**
 * The numbers of a pass that a result file keeps, each name beginning with `prefix`: throughput, latency, and the CPU
 * time per text of the server's main process, of its sessions and of the client.
 */
export function passNumbers(prefix: string, pass: ServedPass): Record<string, number> {
  return {
    [`${prefix}TextsPerSecond`]: pass.textsPerSecond,
    [`${prefix}P50Ms`]: quantile(pass.latenciesMs, 0.5),
    [`${prefix}P99Ms`]: quantile(pass.latenciesMs, 0.99),
    [`${prefix}PaddingRatio`]: pass.paddingRatio,
    [`${prefix}MainCpuMsPerText`]: pass.serverCpu.mainMs / pass.answered,
    [`${prefix}SessionsCpuMsPerText`]: pass.serverCpu.sessionsMs / pass.answered,
    [`${prefix}ClientCpuMsPerText`]: pass.clientCpuMs / pass.answered,
  };
}
