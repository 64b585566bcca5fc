import { BenchChild } from '../child.js';
import type { Report } from '../report.js';
import { ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import type { ScenarioOptions } from './saturated-stream.js';

const TEXTS = 60;

/**
 * One unary call in flight: its median against the raw ONNX run of the same text plus twice a bare grpc-js echo, the
 * three measured in turn.
 */
export async function oneInFlight(options: ScenarioOptions): Promise<Report> {
  const { model, rounds, threads } = options;
  const texts = [...options.texts].sort((a, b) => a.length - b.length).slice(0, TEXTS);
  const server = await ServerProcess.start(model.serverSettings(threads));
  const load = BenchChild.start('./load/unary-load.js');
  const echo = BenchChild.start('./reference/echo-server.js');
  const echoLoad = BenchChild.start('./load/unary-load.js');
  const offline = BenchChild.start('./reference/offline.js');
  const p50 = async (child: BenchChild, request: unknown) =>
    median((await child.ask<{ durationsMs: number[] }>(request)).durationsMs);
  try {
    const { port } = await echo.ask<{ port: number }>({});
    await load.ask({ address: server.address, model: model.name, texts });
    await echoLoad.ask({ address: `127.0.0.1:${port}`, model: model.name, texts });
    await offline.ask({ modelPath: model.onnxPath, threads, encodings: await model.encode(texts) });
    for (const child of [load, echoLoad]) await p50(child, { run: true });
    const results: Record<string, number>[] = [];
    for (let round = 1; round <= rounds; round++) {
      const rawMs = await p50(offline, { budgetTokens: 0, oneByOne: true });
      const echoMs = await p50(echoLoad, { run: true });
      const servedMs = await p50(load, { run: true });
      results.push({ rawMs, echoMs, servedMs, overBarMs: servedMs - rawMs - 2 * echoMs });
      options.onProgress(
        `round ${round}/${rounds}: raw ${rawMs.toFixed(2)} ms, echo ${echoMs.toFixed(2)} ms, served ${servedMs.toFixed(2)} ms`,
      );
    }
    const over = median(results.map((round) => round.overBarMs ?? Number.NaN));
    return {
      scenario: 'one-in-flight',
      command: options.command,
      comparisons: [
        {
          name: `${model.name}: p50 of one short text over raw run + 2 x echo`,
          value: over,
          unit: 'ms',
          bar: 'at most 0',
          reached: over <= 0,
        },
      ],
      rounds: results,
    };
  } finally {
    await Promise.all([load.stop(), echo.stop(), echoLoad.stop(), offline.stop(), server.stop()]);
  }
}
