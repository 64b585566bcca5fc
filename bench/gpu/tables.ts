import { markdownTable } from '../report/markdown.js';
import type { ServedResult } from './served-passes.js';
import type { SessionTrial } from './session-trial.js';

const MEBIBYTE = 1024 ** 2;
const UNKNOWN = '-';

/** Golden parity and the knee of each precision. */
export function trialTable(trials: readonly SessionTrial[]): string {
  return markdownTable(
    ['precision', 'golden', 'largest shift of a logit', 'allowed', 'opened in', 'best rate alone', 'knee'],
    trials.map(({ precision, golden, loadMs, sweep, kneeTokens }) => {
      const best = Math.max(...sweep.map(({ items, runMs }) => (1000 * items) / runMs));
      return [
        precision,
        golden === undefined
          ? 'none recorded'
          : golden.ok
            ? `${golden.entries} agree`
            : golden.failures.join('; '),
        golden?.largestShift.toPrecision(3) ?? UNKNOWN,
        String(golden?.tolerance ?? UNKNOWN),
        `${Math.round(loadMs)} ms`,
        `${Math.round(best)} texts/s of 32 tokens`,
        kneeTokens === undefined ? UNKNOWN : `${kneeTokens} padded tokens`,
      ];
    }),
  );
}

/** What was served at each number of texts in flight. */
export function servedTable(results: readonly ServedResult[]): string {
  return markdownTable(
    [
      'precision',
      'budget',
      'in flight',
      'texts/s',
      'p50',
      'p99',
      'batch',
      'padding',
      'server cores',
      'session cores',
      'cores a client',
      'GPU busy',
      'GPU memory',
    ],
    results.map((result) => [
      result.precision,
      String(result.budgetTokens),
      String(result.inFlight),
      result.textsPerSecond.toFixed(result.textsPerSecond < 100 ? 1 : 0),
      `${result.p50Ms.toFixed(1)} ms`,
      `${result.p99Ms.toFixed(1)} ms`,
      result.meanBatchItems.toFixed(1),
      result.paddingRatio.toFixed(3),
      result.serverCores.toFixed(2),
      result.sessionCores.toFixed(2),
      result.coresPerClient.toFixed(2),
      result.gpu.meanUtilization === undefined
        ? UNKNOWN
        : `${Math.round(100 * result.gpu.meanUtilization)} %`,
      result.gpu.maxMemoryUsedBytes === undefined
        ? UNKNOWN
        : `${Math.round(result.gpu.maxMemoryUsedBytes / MEBIBYTE)} MiB`,
    ]),
  );
}
