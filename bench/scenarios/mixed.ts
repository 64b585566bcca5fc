import { alternate } from '../alternate.js';
import { PacedCalls, type PacedResult, type PacedSpan } from '../load/paced-calls.js';
import { Soak, type SoakRun } from '../load/soak.js';
import { measuredOnly } from '../report/measured-only.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import { quantile } from '../statistics.js';

const STREAMS = 4;
const IN_FLIGHT_PER_STREAM = 64;
const CALLS_PER_SECOND = 10;
const DEADLINE_MS = 200;

/** Streams that take all they can get, alone and with a trickle of unary calls that are in a hurry, in turns. */
export const mixed: Scenario = {
  name: 'mixed',
  summary: 'Bulk streams saturating, int8, and 10 unary calls/s with 200 ms deadlines: who gets what.',
  bars: ['mixed-in-time', 'mixed-bulk'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, processes, progress, signal, rounds, threads, short } = context;
  const model = models.get('int8');
  const durationMs = context.durationMs ?? (short ? 1_000 : 30_000);
  const span: PacedSpan = { durationMs, rampMs: short ? 0 : 1_000, deadlineMs: DEADLINE_MS };
  const bulk: SoakRun = {
    durationMs,
    streams: STREAMS,
    inFlightPerStream: IN_FLIGHT_PER_STREAM,
    cache: 'bypass',
  };
  const server = await processes.server(model.serverSettings(threads));
  const to = { address: server.address, model: model.name };
  const streams = await Soak.start(processes, { ...to, texts: await inputs.mix('tight', context.texts) });
  const calls = await PacedCalls.start(processes, 1, {
    ...to,
    texts: inputs.sst2(context.texts),
    connections: 1,
    headers: {},
    bypassCache: true,
  });
  let seed = 0;
  const passes = await alternate(
    {
      alone: async () => ({ aloneTextsPerSecond: (await streams.run(bulk)).textsPerSecond }),
      mixed: async () => {
        const [streamed, called] = await Promise.all([
          streams.run(bulk),
          calls.open(span, CALLS_PER_SECOND, ++seed),
        ]);
        return { mixedTextsPerSecond: streamed.textsPerSecond, ...callValues(called) };
      },
    },
    { rounds, progress, signal, describe: told },
  );
  return findings(
    model.title,
    passes.map((pass) => ({ ...pass.alone, ...pass.mixed })),
  );
}

function callValues(result: PacedResult): Record<string, number> {
  return {
    calls: result.calls,
    inTime: result.okMs.length,
    p50Ms: quantile(result.okMs, 0.5),
    p99Ms: quantile(result.okMs, 0.99),
    refused: result.refusedMs.length,
    expired: result.expired + result.late,
    failed: result.failed,
    lagP99Ms: result.lagP99Ms,
  };
}

function told(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number(value.toFixed(1))}`)
    .join(', ');
}

function findings(title: string, results: readonly Record<string, number>[]): Findings {
  const values = (name: string) => results.map((result) => result[name] ?? Number.NaN);
  const ratios = (name: string, reference: string) =>
    results.map((result) => (result[name] ?? Number.NaN) / (result[reference] ?? Number.NaN));
  const load = `${title}, ${STREAMS * IN_FLIGHT_PER_STREAM} in flight on streams and ${CALLS_PER_SECOND} unary calls/s`;
  return {
    measurements: measuredOnly([
      {
        name: `${load}: share of the unary calls answered within ${DEADLINE_MS} ms`,
        unit: '',
        values: ratios('inTime', 'calls'),
        bar: 'mixed-in-time',
      },
      {
        name: `${load}: bulk throughput / bulk throughput alone`,
        unit: 'x',
        values: ratios('mixedTextsPerSecond', 'aloneTextsPerSecond'),
        reference: values('aloneTextsPerSecond'),
        bar: 'mixed-bulk',
      },
      { name: `${load}: p50 of the unary calls in time`, unit: 'ms', values: values('p50Ms') },
      { name: `${load}: p99 of the unary calls in time`, unit: 'ms', values: values('p99Ms') },
    ]),
    rounds: results,
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Bulk streams, alone and beside unary calls in a hurry',
        subtitle: `${title}, tight mix, ${CALLS_PER_SECOND} unary calls/s with ${DEADLINE_MS} ms deadlines`,
        valueAxis: 'texts/s',
        categories: results.map((_, index) => `round ${index + 1}`),
        series: [
          { name: 'streams alone', values: values('aloneTextsPerSecond') },
          { name: 'streams beside unary calls', values: values('mixedTextsPerSecond') },
        ],
      },
    ],
    facts: {
      'unary calls counted': values('calls').reduce((sum, calls) => sum + calls, 0),
      'of them refused': values('refused').reduce((sum, calls) => sum + calls, 0),
      'of them late or expired': values('expired').reduce((sum, calls) => sum + calls, 0),
    },
  };
}
