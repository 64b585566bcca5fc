import { CacheMode } from '../../generated/verdict/v1/classification.js';
import type { Precision } from '../../src/runtime/types.js';
import { ClosedLoop, type LoadResult } from '../load/closed-loop.js';
import type { ProcessSet } from '../process-set.js';
import type { ServerProcess } from '../server-process.js';
import { quantile } from '../statistics.js';
import type { GpuSampler, GpuUse } from './gpu-sampler.js';
import type { GpuBenchOptions } from './options.js';

/** A closed loop over ClassifyStream at one number of texts in flight. */
export interface ServedResult {
  readonly precision: Precision;
  /** Padded tokens that a batch might hold, set or calibrated. */
  readonly budgetTokens: number;
  readonly inFlight: number;
  readonly texts: number;
  readonly textsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanBatchItems: number;
  /** Tokens computed, padding included, for each token asked for. */
  readonly paddingRatio: number;
  /** Cores that the server's main process, its tokenizer threads included, kept busy. */
  readonly serverCores: number;
  readonly sessionCores: number;
  /** Cores that each client kept busy on average: near 1, the clients are what limits. */
  readonly coresPerClient: number;
  readonly gpu: GpuUse;
}

/** Starts a server of one precision and takes a pass at each number of texts in flight. */
export async function servedPasses(
  processes: ProcessSet,
  options: GpuBenchOptions,
  precision: Precision,
  parts: {
    readonly settings: Readonly<Record<string, string>>;
    readonly texts: readonly string[];
    readonly sampler: GpuSampler | undefined;
    readonly onResult: (result: ServedResult) => void;
  },
): Promise<ServedResult[]> {
  const server = await processes.server({ ...parts.settings, VERDICT_PRECISION: precision });
  const clients: ClosedLoop[] = [];
  for (let i = 0; i < options.clients; i++) {
    const { texts } = parts;
    const setup = { address: server.address, model: options.model, texts, cache: CacheMode.BYPASS };
    clients.push(await ClosedLoop.start(processes, setup));
  }
  const budgetTokens = (await server.metrics()).value('verdict_batch_budget_tokens');
  const results: ServedResult[] = [];
  for (const inFlight of options.inFlight) {
    const pass = await servedPass(server, clients.slice(0, inFlight), inFlight, options, parts.sampler);
    const result = { precision, budgetTokens, ...pass };
    results.push(result);
    parts.onResult(result);
  }
  await server.stop();
  return results;
}

async function servedPass(
  server: ServerProcess,
  clients: readonly ClosedLoop[],
  inFlight: number,
  options: GpuBenchOptions,
  sampler: GpuSampler | undefined,
): Promise<Omit<ServedResult, 'precision' | 'budgetTokens'>> {
  const shares = divide(inFlight, clients.length);
  // A short pass first: sizes that the session has not seen yet allocate, and its rate sets how often to repeat.
  const pass = (repeat: number): Promise<LoadResult[]> =>
    Promise.all(
      clients.map((client, i) => client.pass({ mode: 'stream', inFlight: shares[i] ?? 1, repeat })),
    );
  const warmUp = await pass(1);
  const rate = total(warmUp, ({ answered }) => answered) / longestMs(warmUp);
  const textsPerPass = total(warmUp, ({ answered }) => answered);
  const repeat = Math.max(1, Math.round((rate * options.secondsPerPass * 1000) / textsPerPass));
  sampler?.reset();
  const before = { metrics: await server.metrics(), cpu: server.cpu() };
  const loads = await pass(repeat);
  const cpu = server.cpu();
  const metrics = await server.metrics();
  const elapsedMs = longestMs(loads);
  const texts = total(loads, ({ answered }) => answered);
  const grown = (name: string) => metrics.value(name) - before.metrics.value(name);
  const latencies = Float64Array.from(loads.flatMap(({ latenciesMs }) => [...latenciesMs]));
  return {
    inFlight,
    texts,
    textsPerSecond: (1000 * texts) / elapsedMs,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    meanBatchItems: grown('verdict_batch_items_sum') / grown('verdict_batch_items_count'),
    paddingRatio: grown('verdict_batch_padded_tokens_sum') / grown('verdict_batch_tokens_sum'),
    serverCores: (cpu.mainMs - before.cpu.mainMs) / elapsedMs,
    sessionCores: (cpu.sessionsMs - before.cpu.sessionsMs) / elapsedMs,
    coresPerClient: total(loads, ({ clientCpuMs }) => clientCpuMs) / elapsedMs / loads.length,
    gpu: sampler?.use() ?? { samples: 0, meanUtilization: undefined, maxMemoryUsedBytes: undefined },
  };
}

/** Splits a number into parts that differ by one at most. */
export function divide(whole: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_, i) => Math.floor((whole * (i + 1)) / parts) - Math.floor((whole * i) / parts),
  );
}

function longestMs(loads: readonly LoadResult[]): number {
  return Math.max(...loads.map(({ elapsedMs }) => elapsedMs));
}

function total(loads: readonly LoadResult[], of: (load: LoadResult) => number): number {
  return loads.reduce((sum, load) => sum + of(load), 0);
}
