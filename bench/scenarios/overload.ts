import { alternate } from '../alternate.js';
import {
  fellBehind,
  goodPerSecond,
  PacedCalls,
  type PacedResult,
  type PacedSpan,
} from '../load/paced-calls.js';
import { startEchoServer } from '../reference/echo-server.js';
import { measuredOnly } from '../report/measured-only.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { quantile } from '../statistics.js';

const IN_FLIGHT = 256;
const CONNECTIONS = 4;
const OVERLOAD = 2;
const DEADLINE_MS = 500;
/** What one generator process sends without falling behind, with room to spare. */
const CALLS_PER_PROCESS = 2_500;

/**
 * Twice as many calls as the server can answer, each with a deadline. The same generator finds the saturated throughput
 * (a closed loop without deadlines), offers twice that to the server, and then as much to a bare echo, in turns.
 */
export const overload: Scenario = {
  name: 'overload',
  summary: 'Open loop at twice the saturation rate, int8, 500 ms deadlines: goodput and refusals.',
  bars: ['overload-goodput', 'overload-refusal', 'overload-retry-info', 'overload-expired'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, progress, signal, rounds, short } = context;
  const model = models.get('int8');
  const span: PacedSpan = {
    durationMs: context.durationMs ?? (short ? 800 : 15_000),
    rampMs: short ? 200 : 2_000,
    deadlineMs: Number.POSITIVE_INFINITY,
  };
  const { server, closed, start } = await setUp(context);
  progress.note('finding the rate that saturates it');
  let saturated = goodPerSecond(await closed.closed(span, IN_FLIGHT), span);
  const { toServer, toEcho } = await start(
    Math.max(1, Math.ceil((OVERLOAD * saturated) / CALLS_PER_PROCESS)),
  );
  let seed = 0;
  const offered = (calls: PacedCalls): Promise<PacedResult> =>
    calls.open({ ...span, deadlineMs: DEADLINE_MS }, OVERLOAD * saturated, ++seed);
  const results: Record<string, number>[] = [];
  const passes = await alternate(
    {
      saturated: async () => {
        saturated = goodPerSecond(await closed.closed(span, IN_FLIGHT), span);
        return { saturated };
      },
      overloaded: async () => {
        const before = await expiredRuns(server);
        const result = await offered(toServer);
        const behind = fellBehind(result);
        if (behind !== undefined) progress.note(behind);
        return { ...overloadedValues(result, span), expiredRuns: (await expiredRuns(server)) - before };
      },
      echo: async () => ({ echoP99Ms: quantile((await offered(toEcho)).okMs, 0.99) }),
    },
    { rounds, progress, signal, describe: told },
  );
  for (const pass of passes) results.push({ ...pass.saturated, ...pass.overloaded, ...pass.echo });
  return findings(model.title, results);
}

async function setUp({ models, inputs, processes, threads, texts }: ScenarioContext) {
  const model = models.get('int8');
  const server = await processes.server(model.serverSettings(threads));
  const echo = await startEchoServer(processes);
  const setup = {
    address: server.address,
    model: model.name,
    texts: inputs.sst2(texts),
    connections: CONNECTIONS,
    headers: {},
    bypassCache: true,
  };
  return {
    server,
    closed: await PacedCalls.start(processes, 1, setup),
    start: async (generators: number) => ({
      toServer: await PacedCalls.start(processes, generators, setup),
      toEcho: await PacedCalls.start(processes, generators, { ...setup, address: echo.address }),
    }),
  };
}

/** Inputs that a session was given after their deadline, since the start. */
async function expiredRuns(server: ServerProcess): Promise<number> {
  return (await server.metrics()).value('verdict_expired_runs_total');
}

function overloadedValues(result: PacedResult, span: PacedSpan): Record<string, number> {
  const refused = result.refusedMs.length;
  return {
    goodput: goodPerSecond(result, span),
    okP99Ms: quantile(result.okMs, 0.99),
    refused,
    refusalP99Ms: quantile(result.refusedMs, 0.99),
    withRetryInfo: refused === 0 ? Number.NaN : 1 - result.withoutRetryInfo / refused,
    late: result.late,
    expired: result.expired,
    failed: result.failed,
    lagP99Ms: result.lagP99Ms,
  };
}

function told(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number(value.toFixed(2))}`)
    .join(', ');
}

function findings(title: string, results: readonly Record<string, number>[]): Findings {
  const values = (name: string) => results.map((result) => result[name] ?? Number.NaN);
  const ratios = (name: string, reference: string) =>
    results.map((result) => (result[name] ?? Number.NaN) / (result[reference] ?? Number.NaN));
  const load = `${title}, open loop at ${OVERLOAD}x saturation, ${DEADLINE_MS} ms deadlines`;
  return {
    measurements: measuredOnly([
      {
        name: `${load}: goodput / saturated throughput`,
        unit: 'x',
        values: ratios('goodput', 'saturated'),
        reference: values('saturated'),
        bar: 'overload-goodput',
      },
      {
        name: `${load}: p99 of a refusal / p99 of a bare echo under as many calls`,
        unit: 'x',
        values: ratios('refusalP99Ms', 'echoP99Ms'),
        reference: values('echoP99Ms'),
        bar: 'overload-refusal',
      },
      {
        name: `${load}: share of refusals that carry RetryInfo`,
        unit: '',
        values: values('withRetryInfo'),
        bar: 'overload-retry-info',
      },
      {
        name: `${load}: expired items that reached a session`,
        unit: 'items',
        values: values('expiredRuns'),
        bar: 'overload-expired',
      },
      { name: `${load}: p99 of the calls answered in time`, unit: 'ms', values: values('okP99Ms') },
      {
        name: `${load}: calls accepted and then not answered in time`,
        unit: 'calls',
        values: results.map(({ late = 0, expired = 0 }) => late + expired),
      },
      { name: `${load}: calls that failed in any other way`, unit: 'calls', values: values('failed') },
    ]),
    rounds: results,
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Throughput when twice as much is asked for',
        subtitle: `${title}, unary, ${DEADLINE_MS} ms deadlines; calls answered OK and in time`,
        valueAxis: 'calls/s',
        categories: results.map((_, index) => `round ${index + 1}`),
        series: [
          { name: 'saturated (closed loop)', values: values('saturated') },
          { name: 'overloaded: goodput', values: values('goodput') },
        ],
      },
    ],
  };
}
