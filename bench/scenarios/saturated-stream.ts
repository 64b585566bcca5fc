import type { BenchModel } from '../bench-model.js';
import { BenchChild } from '../child.js';
import type { StreamPassResult } from '../load/stream-load.js';
import type { Report } from '../report.js';
import { ServerProcess } from '../server-process.js';
import { median, quantile, spread } from '../statistics.js';

const STREAMS = 4;
const IN_FLIGHT_PER_STREAM = 64;
const BAR = 0.9;

/** Budgets of padded tokens that the offline reference tries; the best of them is the ceiling. */
const OFFLINE_BUDGETS = [256, 512, 1024];

export interface ScenarioOptions {
  readonly model: BenchModel;
  readonly texts: readonly string[];
  readonly rounds: number;
  readonly threads: number;
  readonly command: string;
  readonly onProgress: (line: string) => void;
}

/**
 * 256 texts in flight over ClassifyStream against the same ONNX file run offline: same threads, same texts, sorted by
 * length, batches filled to a budget. Rounds alternate, so that both meet the same machine.
 */
export async function saturatedStream(options: ScenarioOptions): Promise<Report> {
  const { model, texts, rounds, threads } = options;
  const server = await ServerProcess.start(model.serverSettings(threads));
  const load = BenchChild.start('./load/stream-load.js');
  const offline = BenchChild.start('./reference/offline.js');
  const streamPass = () =>
    load.ask<StreamPassResult>({
      streams: STREAMS,
      inFlightPerStream: IN_FLIGHT_PER_STREAM,
      bypassCache: true,
    });
  const offlinePass = (budgetTokens: number) => offline.ask<{ elapsedMs: number }>({ budgetTokens });
  try {
    await load.ask({ address: server.address, model: model.name, texts });
    await offline.ask({ modelPath: model.onnxPath, threads, encodings: await model.encode(texts) });
    const budgetTokens = await bestBudget(offlinePass, options.onProgress);
    await streamPass();
    const results: Record<string, number>[] = [];
    for (let round = 1; round <= rounds; round++) {
      const raw = await offlinePass(budgetTokens);
      const served = await streamPass();
      if (served.failed > 0 || served.answered !== texts.length)
        throw new Error('the server lost or failed texts');
      const rawRate = (texts.length / raw.elapsedMs) * 1000;
      const servedRate = (texts.length / served.elapsedMs) * 1000;
      results.push({
        offlineTextsPerSecond: rawRate,
        servedTextsPerSecond: servedRate,
        ratio: servedRate / rawRate,
        p50Ms: median(served.latenciesMs),
        p99Ms: quantile(served.latenciesMs, 0.99),
      });
      options.onProgress(
        `round ${round}/${rounds}: offline ${rawRate.toFixed(1)} texts/s, served ${servedRate.toFixed(1)}, ratio ${(servedRate / rawRate).toFixed(3)}`,
      );
    }
    const ratios = results.map((round) => round.ratio ?? Number.NaN);
    return {
      scenario: 'saturated-stream',
      command: options.command,
      comparisons: [
        {
          name: `${model.name}: served / offline throughput, ${STREAMS * IN_FLIGHT_PER_STREAM} in flight (spread ${(spread(ratios) * 100).toFixed(1)} %)`,
          value: median(ratios),
          unit: 'x',
          bar: `at least ${BAR}`,
          reached: median(ratios) >= BAR,
        },
      ],
      rounds: results,
    };
  } finally {
    await Promise.all([load.stop(), offline.stop(), server.stop()]);
  }
}

async function bestBudget(
  pass: (budgetTokens: number) => Promise<{ elapsedMs: number }>,
  onProgress: (line: string) => void,
): Promise<number> {
  let best = { budgetTokens: 0, elapsedMs: Number.POSITIVE_INFINITY };
  for (const budgetTokens of OFFLINE_BUDGETS) {
    const { elapsedMs } = await pass(budgetTokens);
    onProgress(`offline, batches of ${budgetTokens} padded tokens: ${(elapsedMs / 1000).toFixed(1)} s`);
    if (elapsedMs < best.elapsedMs) best = { budgetTokens, elapsedMs };
  }
  return best.budgetTokens;
}
