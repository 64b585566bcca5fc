import { BenchChild } from '../child.js';
import type { StreamPassResult } from '../load/stream-load.js';
import type { Comparison, Report } from '../report.js';
import { ServerProcess } from '../server-process.js';
import { median, quantile, spread } from '../statistics.js';
import type { ScenarioOptions } from './saturated-stream.js';

const IN_FLIGHT = 32;
const BAR = 1.25;

/** The server's own policies, with the settings that the peers have. */
const POLICIES = {
  length: {},
  /** text-embeddings-inference with an ONNX model: order of arrival, at most 8, the next batch frozen ahead. */
  fifo: { VERDICT_BATCH_POLICY: 'fifo', VERDICT_BATCH_MAX_ITEMS: '8' },
} as const;

type Policy = keyof typeof POLICIES;

/**
 * The same server, model, texts and load under the length-aware policy and under first-in-first-out batches of 8, in
 * turn. Only one of the two servers has work at any time.
 */
export async function policies(options: ScenarioOptions): Promise<Report> {
  const { model, texts, rounds, threads } = options;
  const names = Object.keys(POLICIES) as Policy[];
  const servers = new Map<Policy, ServerProcess>();
  const loads = new Map<Policy, BenchChild>();
  try {
    for (const name of names) {
      const server = await ServerProcess.start({ ...model.serverSettings(threads), ...POLICIES[name] });
      const load = BenchChild.start('./load/stream-load.js');
      servers.set(name, server);
      loads.set(name, load);
      await load.ask({ address: server.address, model: model.name, texts });
      await pass(loads, name);
    }
    const results: Record<string, number>[] = [];
    for (let round = 1; round <= rounds; round++) {
      const result: Record<string, number> = {};
      for (const name of names) {
        const { elapsedMs, latenciesMs } = await pass(loads, name);
        result[`${name}TextsPerSecond`] = (texts.length / elapsedMs) * 1000;
        result[`${name}P99Ms`] = quantile(latenciesMs, 0.99);
      }
      results.push(result);
      options.onProgress(
        `round ${round}/${rounds}: ${names.map((name) => `${name} ${result[`${name}TextsPerSecond`]?.toFixed(1)} texts/s, p99 ${result[`${name}P99Ms`]?.toFixed(0)} ms`).join('; ')}`,
      );
    }
    return {
      scenario: 'policies',
      command: options.command,
      comparisons: compare(model.name, results),
      rounds: results,
    };
  } finally {
    await Promise.all([...loads.values(), ...servers.values()].map((process) => process.stop()));
  }
}

async function pass(loads: ReadonlyMap<Policy, BenchChild>, name: Policy): Promise<StreamPassResult> {
  const load = loads.get(name);
  if (load === undefined) throw new Error(`no load for ${name}`);
  const result = await load.ask<StreamPassResult>({
    streams: 1,
    inFlightPerStream: IN_FLIGHT,
    bypassCache: true,
  });
  if (result.failed > 0) throw new Error(`${name}: ${result.failed} texts failed`);
  return result;
}

function compare(model: string, results: readonly Record<string, number>[]): Comparison[] {
  const ratios = (metric: string) =>
    results.map(
      (result) => (result[`length${metric}`] ?? Number.NaN) / (result[`fifo${metric}`] ?? Number.NaN),
    );
  const rates = ratios('TextsPerSecond');
  return [
    {
      name: `${model}: length / fifo throughput, ${IN_FLIGHT} in flight (spread ${(spread(rates) * 100).toFixed(1)} %)`,
      value: median(rates),
      unit: 'x',
      bar: `at least ${BAR}`,
      reached: median(rates) >= BAR,
    },
    {
      name: `${model}: length / fifo p99 latency, ${IN_FLIGHT} in flight`,
      value: median(ratios('P99Ms')),
      unit: 'x',
      bar: 'at most 1.2',
      reached: median(ratios('P99Ms')) <= 1.2,
    },
  ];
}
