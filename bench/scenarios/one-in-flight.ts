import { BenchChild } from '../child.js';
import type { Report } from '../report.js';
import { ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import type { ScenarioOptions } from './saturated-stream.js';

const TEXTS = 60;

/**
 * One unary call in flight: its median against the raw ONNX run of the same text plus twice a bare grpc-js echo. The three
 * take turns text by text: a run empties the processor's caches and lets every other process fall asleep, which an echo
 * in a tight loop never sees. The echo in a tight loop is measured as well, and reported beside it.
 */
export async function oneInFlight(options: ScenarioOptions): Promise<Report> {
  const { model, rounds, threads } = options;
  const texts = [...options.texts].sort((a, b) => a.length - b.length).slice(0, TEXTS);
  const server = await ServerProcess.start(model.serverSettings(threads));
  const load = BenchChild.start('./load/unary-load.js');
  const echo = BenchChild.start('./reference/echo-server.js');
  const echoLoad = BenchChild.start('./load/unary-load.js');
  const offline = BenchChild.start('./reference/offline.js');
  const measure = async (child: BenchChild, input: number) =>
    (await child.ask<{ durationMs: number }>({ input })).durationMs;
  try {
    const { port } = await echo.ask<{ port: number }>({});
    await load.ask({ address: server.address, model: model.name, texts });
    await echoLoad.ask({ address: `127.0.0.1:${port}`, model: model.name, texts });
    await offline.ask({ modelPath: model.onnxPath, threads, encodings: await model.encode(texts) });
    for (const child of [load, echoLoad]) for (const input of texts.keys()) await measure(child, input);
    const results: Record<string, number>[] = [];
    for (let round = 1; round <= rounds; round++) {
      const raw: number[] = [];
      const echoed: number[] = [];
      const served: number[] = [];
      const warm: number[] = [];
      for (const input of texts.keys()) {
        raw.push(await measure(offline, input));
        echoed.push(await measure(echoLoad, input));
        served.push(await measure(load, input));
      }
      for (const input of texts.keys()) warm.push(await measure(echoLoad, input));
      const [rawMs, echoMs, servedMs, warmEchoMs] = [
        median(raw),
        median(echoed),
        median(served),
        median(warm),
      ];
      results.push({ rawMs, echoMs, servedMs, warmEchoMs, overBarMs: servedMs - rawMs - 2 * echoMs });
      options.onProgress(
        `round ${round}/${rounds}: raw ${rawMs.toFixed(2)} ms, echo ${echoMs.toFixed(2)} ms (in a tight loop ${warmEchoMs.toFixed(2)}), served ${servedMs.toFixed(2)} ms`,
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
