import { credentials } from '@grpc/grpc-js';
import { HealthClient } from '../../generated/grpc/health/v1/health.js';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { ServedLoad } from '../load/served-load.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';

const HEALTH_INTERVAL_MS = 20;
const IN_FLIGHT = 256;
/** A round lasts at least so long, however fast the model. */
const LEAST_ROUND_MS = 5_000;

/** How long the server's event loop is held up while every session is busy. */
export const eventLoop: Scenario = {
  name: 'event-loop',
  summary:
    'Delay of the event loop, as the server itself measures it, and health checks, with 256 in flight.',
  bars: ['event-loop'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, progress, signal, rounds } = context;
  const model = models.get();
  const served = await ServedLoad.start(context, {
    model,
    texts: await inputs.mix('tight', context.texts),
    cache: CacheMode.BYPASS,
    settings: { VERDICT_EVENT_LOOP_RESOLUTION_MS: '1' },
  });
  progress.expect(rounds);
  await served.pass({ mode: 'stream', inFlight: IN_FLIGHT });
  const results: Record<string, number>[] = [];
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    // A scrape begins a new measurement.
    await readDelay(served.server);
    const checks = watchHealth(served.server.address);
    const textsPerSecond = await saturate(served, context);
    const delay = await readDelay(served.server);
    const result = { ...delay, ...(await checks.end()), textsPerSecond };
    results.push(result);
    progress.advance(
      `round ${round}/${rounds}: p99 ${result.p99Ms.toFixed(2)} ms, max ${result.maxMs.toFixed(2)} ms, health ${result.serving}/${result.sent}`,
    );
  }
  const values = (name: string) => results.map((result) => result[name] ?? Number.NaN);
  return {
    measurements: [
      {
        name: `${model.title}, ${IN_FLIGHT} in flight: event-loop delay p99`,
        unit: 'ms',
        values: values('p99Ms'),
        bar: 'event-loop',
      },
      {
        name: `${model.title}: health checks not answered SERVING meanwhile`,
        unit: '',
        values: results.map(({ sent = 0, serving = 0 }) => sent - serving),
      },
    ],
    rounds: results,
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Event-loop delay under load',
        subtitle: `${model.title}, ${IN_FLIGHT} texts in flight, resolution 1 ms`,
        valueAxis: 'ms',
        categories: results.map((_, i) => `round ${i + 1}`),
        series: [
          { name: 'p50', values: values('p50Ms') },
          { name: 'p99', values: values('p99Ms') },
        ],
        mark: { label: 'p99 at most 10 ms', value: 10 },
      },
    ],
  };
}

async function saturate(served: ServedLoad, { durationMs, short, signal }: ScenarioContext): Promise<number> {
  const leastMs = short ? 0 : (durationMs ?? LEAST_ROUND_MS);
  let [answered, elapsedMs] = [0, 0];
  do {
    signal.throwIfAborted();
    const pass = await served.load({ mode: 'stream', inFlight: IN_FLIGHT });
    answered += pass.answered;
    elapsedMs += pass.elapsedMs;
  } while (elapsedMs < leastMs);
  return (1000 * answered) / elapsedMs;
}

/** Asks for the server's health all the time. */
function watchHealth(address: string): { end(): Promise<{ sent: number; serving: number }> } {
  const client = new HealthClient(address, credentials.createInsecure());
  const checks: Promise<boolean>[] = [];
  const timer = setInterval(() => {
    checks.push(
      new Promise((resolve) => {
        client.check({ service: '' }, (error, response) => resolve(error === null && response.status === 1));
      }),
    );
  }, HEALTH_INTERVAL_MS);
  return {
    async end() {
      clearInterval(timer);
      const answers = await Promise.all(checks);
      client.close();
      return { sent: answers.length, serving: answers.filter(Boolean).length };
    },
  };
}

/** The delay since the last scrape, in milliseconds. */
async function readDelay(server: ServerProcess) {
  const metrics = await server.metrics();
  const read = (name: string) => metrics.value(`nodejs_eventloop_lag_${name}_seconds`) * 1000;
  return { p50Ms: read('p50'), p99Ms: read('p99'), maxMs: read('max') };
}
