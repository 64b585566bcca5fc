import { fellBehind, goodPerSecond, PacedCalls, type PacedSpan } from '../load/paced-calls.js';
import { measuredOnly } from '../report/measured-only.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import { median, quantile } from '../statistics.js';

const IN_FLIGHT = 256;
const CONNECTIONS = 4;
const SHARES = [0.5, 0.7, 0.8, 0.9, 0.95];
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

type QuantileName = keyof typeof QUANTILES;

/**
 * What callers who do not wait for each other see: Poisson arrivals at shares of the saturation rate, which a closed loop
 * finds anew in each round. Latency counts from the intended send time.
 */
export const openLoop: Scenario = {
  name: 'open-loop',
  summary: 'Latency of unary calls under Poisson arrivals at 0.5 to 0.95 of the saturation rate.',
  bars: [],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, processes, progress, signal, rounds, threads, short } = context;
  const model = models.get();
  const span: PacedSpan = {
    durationMs: context.durationMs ?? (short ? 1_500 : 20_000),
    rampMs: short ? 100 : 2_000,
    deadlineMs: Number.POSITIVE_INFINITY,
  };
  const server = await processes.server(model.serverSettings(threads));
  const calls = await PacedCalls.start(processes, 1, {
    address: server.address,
    model: model.name,
    texts: inputs.sst2(context.texts),
    connections: CONNECTIONS,
    headers: {},
    bypassCache: true,
  });
  progress.expect(1 + rounds * (1 + SHARES.length));
  await calls.closed(span, IN_FLIGHT);
  progress.advance('warm-up');
  const results: Record<string, number>[] = [];
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    const saturated = goodPerSecond(await calls.closed(span, IN_FLIGHT), span);
    const result: Record<string, number> = { saturatedPerSecond: saturated };
    progress.advance(`round ${round}/${rounds}: saturated at ${saturated.toFixed(1)} calls/s`);
    for (const [index, share] of SHARES.entries()) {
      signal.throwIfAborted();
      const answer = await calls.open(span, share * saturated, round * SHARES.length + index);
      if (answer.failed > 0) throw new Error(`${answer.failed} calls failed`);
      for (const [name, q] of Object.entries(QUANTILES))
        result[keyOf(share, name)] = quantile(answer.okMs, q);
      result[keyOf(share, 'refused')] = answer.refusedMs.length + answer.expired;
      result[keyOf(share, 'lagP99')] = answer.lagP99Ms;
      const p99 = result[keyOf(share, 'p99')] ?? Number.NaN;
      progress.advance(`round ${round}/${rounds}: at ${share} p99 ${p99.toFixed(1)} ms`);
      const behind = fellBehind(answer);
      if (behind !== undefined) progress.note(`at ${share}: ${behind}`);
    }
    results.push(result);
  }
  return findings(model.title, results);
}

function findings(title: string, results: readonly Record<string, number>[]): Findings {
  const values = (key: string) => results.map((result) => result[key] ?? Number.NaN);
  const reference = values('saturatedPerSecond');
  const names = Object.keys(QUANTILES) as QuantileName[];
  const measurements: Measurement[] = SHARES.flatMap((share) =>
    names.map((name) => ({
      name: `${title}, unary, open loop at ${share} of saturation: ${name}`,
      unit: 'ms',
      values: values(keyOf(share, name)),
      reference,
    })),
  );
  return {
    measurements: measuredOnly(measurements),
    rounds: results,
    charts: [
      {
        kind: 'lines',
        name: '',
        title: `Latency against load: ${title}`,
        subtitle: 'Unary calls, Poisson arrivals, from the intended send time; medians of the rounds',
        xAxis: 'share of the saturation rate',
        valueAxis: 'latency (ms)',
        log: { value: true },
        series: names.map((name) => ({
          name,
          points: SHARES.map((share) => [share, median(values(keyOf(share, name)))] as const).filter(
            ([, ms]) => Number.isFinite(ms),
          ),
        })),
      },
    ],
    facts: {
      'saturation rate (calls/s, closed loop of 256)': Math.round(median(reference)),
      'calls refused or expired': SHARES.reduce(
        (sum, share) => sum + values(keyOf(share, 'refused')).reduce((a, b) => a + b, 0),
        0,
      ),
      'latest 1 % of sends, at worst (ms)': Math.max(
        ...SHARES.flatMap((share) => values(keyOf(share, 'lagP99'))),
      ),
    },
  };
}

function keyOf(share: number, name: string): string {
  return `${share} ${name}`;
}
