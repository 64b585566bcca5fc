import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { hashOfKey, newKey, random256 } from '../../src/auth/key-format.js';
import { alternate } from '../alternate.js';
import { ClosedLoop } from '../load/closed-loop.js';
import { hitsPass, totalUs } from '../load/hits-pass.js';
import { ProcessSet } from '../process-set.js';
import { formatNumber } from '../report/format-value.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import { median, ratios } from '../statistics.js';

const IN_FLIGHT = [1, 32] as const;

/** Texts that a pass sends for each text of the scenario, as in `cache-hits`. */
const REPEAT = 16;

/** Passes of each server, taking turns. */
const PASSES = 3;

/** Limits that nobody reaches: what they cost is the counting. */
const LIMITS = { requestsPerMinute: 1e9, tokensPerMinute: 1e9, textsInFlight: 1_000_000 };

/** What API keys, limits and traces cost a call that does nothing else. */
export const guarded: Scenario = {
  name: 'guarded',
  summary:
    'CPU time per cached unary call with API keys, limits and 1 % of traces against the same without them.',
  bars: ['guarded-call'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-bench-'));
  try {
    return await measure(context, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Side = 'open' | 'guarded';

/** Microseconds of CPU per call, by calls in flight. */
type Costs = Record<Side, Record<(typeof IN_FLIGHT)[number], number>>;

/**
 * Each round has servers of its own: how V8 happens to compile a function stays with a process as long as that lives, and can be
 * worth some microseconds of a call.
 */
async function measure(context: ScenarioContext, folder: string): Promise<Findings> {
  const keysFile = join(folder, 'keys.yaml');
  const apiKey = writeKey(keysFile);
  const guards = {
    VERDICT_API_KEYS_FILE: keysFile,
    VERDICT_TRACING: 'http',
    VERDICT_TRACING_SAMPLE_RATIO: '0.01',
    VERDICT_TRACING_ENDPOINT: await startCollector(context),
  };
  const rounds: Costs[] = [];
  for (let round = 0; round < context.rounds; round++) {
    const processes = new ProcessSet(context.signal);
    const logTo = openSync(join(folder, `${round}.log`), 'w');
    try {
      rounds.push(await costs({ ...context, processes }, { guards, apiKey, logTo }));
    } finally {
      await processes.stopAll();
      closeSync(logTo);
    }
  }
  const of = (side: Side, inFlight: (typeof IN_FLIGHT)[number]) =>
    rounds.map((round) => round[side][inFlight]);
  const medians = (side: Side) => IN_FLIGHT.map((inFlight) => median(of(side, inFlight)));
  return {
    measurements: IN_FLIGHT.map((inFlight): Measurement => {
      const reference = of('open', inFlight);
      return {
        name: `Cached unary call, ${inFlight} in flight, server CPU: guarded / open`,
        ...{ unit: 'x', values: ratios(of('guarded', inFlight), reference), reference, bar: 'guarded-call' },
      };
    }),
    rounds: rounds.map(({ open, guarded: closed }) =>
      Object.fromEntries(
        IN_FLIGHT.flatMap((inFlight) => [
          [`${inFlight}-openUs`, open[inFlight]],
          [`${inFlight}-guardedUs`, closed[inFlight]],
        ]),
      ),
    ),
    charts: [
      {
        ...{ kind: 'bars', name: 'unary', title: 'Server CPU per cached call' },
        subtitle: `All threads of the main process, metrics and access log on; ${context.models.get().name}`,
        valueAxis: 'µs',
        categories: IN_FLIGHT.map((inFlight) => `${inFlight} in flight`),
        series: [
          { name: 'open', values: medians('open') },
          { name: 'API keys, limits, 1 % of traces', values: medians('guarded') },
        ],
      },
    ],
  };
}

/** What calls cost a fresh server of each kind. */
async function costs(
  context: ScenarioContext,
  { guards, apiKey, logTo }: { guards: Record<string, string>; apiKey: string; logTo: number },
): Promise<Costs> {
  const { models, inputs, processes, threads } = context;
  const model = models.get();
  const texts = inputs.sst2(context.texts);
  const start = async (settings: Record<string, string>, credentials: { apiKey?: string }) => {
    const own = { ...model.serverSettings(threads), VERDICT_LOG_LEVEL: 'info', ...settings };
    const server = await processes.server(own, { logTo });
    const setup = { address: server.address, model: model.name, texts, cache: CacheMode.UNSPECIFIED };
    const load = await ClosedLoop.start(processes, { ...setup, ...credentials });
    await load.pass({ mode: 'stream', inFlight: 32 });
    return { server, load };
  };
  const open = await start({}, {});
  const closed = await start(guards, { apiKey });
  const found: Costs = { open: { 1: 0, 32: 0 }, guarded: { 1: 0, 32: 0 } };
  for (const inFlight of IN_FLIGHT) {
    const pass = { mode: 'unary', inFlight, repeat: context.short ? 2 : REPEAT } as const;
    const passes = await alternate(
      {
        open: () => hitsPass(open.load, open.server, pass),
        guarded: () => hitsPass(closed.load, closed.server, pass),
      },
      {
        ...context,
        rounds: context.short ? 1 : PASSES,
        describe: (result) => `(${inFlight}) ${formatNumber(totalUs(result))} µs of CPU per call`,
      },
    );
    found.open[inFlight] = median(passes.map((each) => totalUs(each.open)));
    found.guarded[inFlight] = median(passes.map((each) => totalUs(each.guarded)));
  }
  return found;
}

/** Takes traces, as an OTLP collector does, and drops them. @returns its address */
async function startCollector({ processes }: ScenarioContext): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    // An empty ExportTraceServiceResponse: all spans are accepted.
    request.on('end', () => response.setHeader('content-type', 'application/x-protobuf').end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  processes.add({
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A key file with one key, which may do anything. @returns the key */
function writeKey(path: string): string {
  const [secret, id] = [random256(), 'bench'];
  const key = newKey(id);
  const hash = hashOfKey(key, createSecretKey(secret, 'base64url')).toString('base64url');
  const entry = { id, hash, scopes: ['classify', 'cache-outcomes'], limits: LIMITS };
  // YAML takes JSON.
  writeFileSync(path, JSON.stringify({ secret, keys: [entry] }));
  return key;
}
