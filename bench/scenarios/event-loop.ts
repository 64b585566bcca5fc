import { credentials } from '@grpc/grpc-js';
import { HealthClient } from '../../generated/health/v1/health.js';
import { BenchChild } from '../child.js';
import type { StreamPassResult } from '../load/stream-load.js';
import type { Report } from '../report.js';
import { ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import type { ScenarioOptions } from './saturated-stream.js';

const BAR_MS = 10;
const HEALTH_INTERVAL_MS = 20;
const PASSES_PER_ROUND = 4;

/**
 * Saturates the server with 256 texts in flight, the cache left out, while asking for its health all the time: the event
 * loop's delay as the server's own metric tells it, and how many of the health checks were answered SERVING.
 */
export async function eventLoop(options: ScenarioOptions): Promise<Report> {
  const { model, texts, rounds, threads } = options;
  const server = await ServerProcess.start(model.serverSettings(threads));
  const load = BenchChild.start('./load/stream-load.js');
  const health = new HealthClient(server.address, credentials.createInsecure());
  const results: Record<string, number>[] = [];
  try {
    await load.ask({ address: server.address, model: model.name, texts });
    for (let round = 1; round <= rounds; round++) {
      await readDelay(server);
      const checks = { sent: 0, serving: 0 };
      const timer = setInterval(() => {
        checks.sent++;
        health.check({ service: '' }, (error, response) => {
          if (error === null && response.status === 1) checks.serving++;
        });
      }, HEALTH_INTERVAL_MS);
      let answered = 0;
      let elapsedMs = 0;
      for (let i = 0; i < PASSES_PER_ROUND; i++) {
        const pass = await load.ask<StreamPassResult>({
          streams: 4,
          inFlightPerStream: 64,
          bypassCache: true,
        });
        answered += pass.answered - pass.failed;
        elapsedMs += pass.elapsedMs;
      }
      clearInterval(timer);
      const delay = await readDelay(server);
      results.push({ ...delay, ...checks, textsPerSecond: (answered / elapsedMs) * 1000 });
      options.onProgress(
        `round ${round}/${rounds}: p99 ${delay.p99Ms.toFixed(2)} ms, max ${delay.maxMs.toFixed(2)} ms, health ${checks.serving}/${checks.sent}, ${((answered / elapsedMs) * 1000).toFixed(0)} texts/s`,
      );
    }
  } finally {
    health.close();
    await Promise.all([load.stop(), server.stop()]);
  }
  const p99Ms = median(results.map((result) => result.p99Ms ?? Number.NaN));
  const missed = results.reduce((sum, { sent = 0, serving = 0 }) => sum + sent - serving, 0);
  return {
    scenario: 'event-loop',
    command: options.command,
    comparisons: [
      {
        name: `${model.name}: event-loop delay p99, 256 in flight`,
        value: p99Ms,
        unit: 'ms',
        bar: `under ${BAR_MS}`,
        reached: p99Ms < BAR_MS,
      },
      {
        name: `${model.name}: health checks not answered SERVING meanwhile`,
        value: missed,
        unit: '',
        bar: '0',
        reached: missed === 0,
      },
    ],
    rounds: results,
  };
}

/** The delay since the last scrape. */
async function readDelay(server: ServerProcess): Promise<{ p99Ms: number; maxMs: number }> {
  const page = await (await fetch(`http://${server.adminAddress}/metrics`)).text();
  const read = (name: string) => {
    const line = page.split('\n').find((text) => text.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1)) * 1000;
  };
  return { p99Ms: read('nodejs_eventloop_lag_p99_seconds'), maxMs: read('nodejs_eventloop_lag_max_seconds') };
}
