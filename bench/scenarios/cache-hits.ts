import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { alternate } from '../alternate.js';
import { ClosedLoop } from '../load/closed-loop.js';
import { type HitsPass, hitsPass, timedPass, totalUs } from '../load/hits-pass.js';
import { startEchoServer } from '../reference/echo-server.js';
import { formatNumber } from '../report/format-value.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import { median, ratios } from '../statistics.js';

const IN_FLIGHT = [1, 32, 256] as const;

/** Texts that a pass sends for each text of the scenario: a pass has to outlast compilation and collections. */
const REPEATS = { unary: 16, stream: 64 } as const;

type Mode = keyof typeof REPEATS;

type HitsRound = { readonly echo: HitsPass; readonly hits: HitsPass };

/** What a call or item costs a server that has its answer in memory, against a bare grpc-js server. */
export const cacheHits: Scenario = {
  name: 'cache-hits',
  summary: 'CPU time per cached call and per cached stream item against a bare grpc-js echo.',
  bars: ['cache-hit-unary', 'cache-hit-stream'],
  run,
};

/**
 * The server runs as in production: metrics, and an access log that goes to a file. CPU time is that of all threads of
 * its main process. The echo sends each text back, and has channelz off as well.
 */
async function run(context: ScenarioContext): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-bench-'));
  try {
    return await measure(context, openSync(join(folder, 'access.log'), 'w'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(context: ScenarioContext, logTo: number): Promise<Findings> {
  const { models, inputs, processes, threads } = context;
  const model = models.get();
  const setup = { model: model.name, texts: inputs.sst2(context.texts), cache: CacheMode.UNSPECIFIED };
  const server = await processes.server(
    { ...model.serverSettings(threads), VERDICT_LOG_LEVEL: 'info' },
    { logTo },
  );
  const echo = await startEchoServer(processes);
  const hitsLoad = await ClosedLoop.start(processes, { ...setup, address: server.address });
  const echoLoad = await ClosedLoop.start(processes, { ...setup, address: echo.address });
  await hitsLoad.pass({ mode: 'stream', inFlight: 32 });
  const measurements: Measurement[] = [];
  const results: Record<string, number>[] = Array.from({ length: context.rounds }, () => ({}));
  const perText = new Map<Mode, Record<keyof HitsRound, number[]>>();
  for (const mode of Object.keys(REPEATS) as Mode[]) {
    const medians: Record<keyof HitsRound, number[]> = { echo: [], hits: [] };
    for (const inFlight of IN_FLIGHT) {
      const pass = { mode, inFlight, repeat: context.short ? 2 : REPEATS[mode] };
      const rounds = await alternate(
        {
          echo: () => timedPass(echoLoad, echo.pid, pass),
          hits: () => hitsPass(hitsLoad, server, pass),
        },
        { ...context, describe: (result) => `(${mode}, ${inFlight}) ${describeHits(result)}` },
      );
      measurements.push(compare(mode, inFlight, rounds));
      for (const [i, round] of rounds.entries()) {
        Object.assign(results[i] ?? {}, roundNumbers(`${mode}-${inFlight}`, round));
      }
      medians.echo.push(median(rounds.map((round) => totalUs(round.echo))));
      medians.hits.push(median(rounds.map((round) => totalUs(round.hits))));
    }
    perText.set(mode, medians);
  }
  return {
    measurements,
    rounds: results,
    facts: { 'children of the server': 'sessions; none of their time is in the ratios' },
    charts: [...perText].map(([mode, { echo: bare, hits }]) => ({
      kind: 'bars' as const,
      name: mode,
      title: mode === 'unary' ? 'Server CPU per cached call' : 'Server CPU per cached stream item',
      subtitle: `All threads of the main process, metrics and access log on; ${model.name}`,
      valueAxis: 'µs',
      categories: IN_FLIGHT.map((inFlight) => `${inFlight} in flight`),
      series: [
        { name: 'bare grpc-js echo', values: bare },
        { name: 'Verdict, cached', values: hits },
      ],
    })),
  };
}

function describeHits(pass: HitsPass): string {
  return `${formatNumber(totalUs(pass))} µs of CPU per text, ${formatNumber(pass.mainThreadUs)} on the main thread`;
}

function compare(mode: Mode, inFlight: number, rounds: readonly HitsRound[]): Measurement {
  const reference = rounds.map(({ echo }) => totalUs(echo));
  return {
    name: `${mode === 'unary' ? 'Cached call' : 'Cached stream item'}, ${inFlight} in flight, server CPU: served / bare echo`,
    unit: 'x',
    values: ratios(
      rounds.map(({ hits }) => totalUs(hits)),
      reference,
    ),
    reference,
    bar: mode === 'unary' ? 'cache-hit-unary' : 'cache-hit-stream',
  };
}

function roundNumbers(prefix: string, round: HitsRound): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const side of ['echo', 'hits'] as const) {
    const { mainThreadUs, otherThreadsUs, childrenUs, textsPerSecond } = round[side];
    Object.assign(numbers, {
      [`${prefix}-${side}-mainThreadUs`]: mainThreadUs,
      [`${prefix}-${side}-otherThreadsUs`]: otherThreadsUs,
      [`${prefix}-${side}-childrenUs`]: childrenUs,
      [`${prefix}-${side}-textsPerSecond`]: textsPerSecond,
    });
  }
  return numbers;
}
