import { alternate } from '../alternate.js';
import { PacedCalls, type PacedSpan } from '../load/paced-calls.js';
import { Soak, type SoakRun } from '../load/soak.js';
import { processorTime, timeBetween } from '../processor-time.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import { provideTinyModel } from '../tiny-model.js';

const UNARY_IN_FLIGHT = 64;
const STREAMS = 4;
const TEXTS = 2_000;

/** Ways through the server, by the names of their passes. */
const PATHS = {
  unaryCompute: 'unary, computed',
  streamCompute: 'stream, computed',
  unaryHit: 'unary, from the cache',
  streamHit: 'stream, from the cache',
} as const;

type Path = keyof typeof PATHS;
const paths = Object.keys(PATHS) as Path[];

/** What one pass of a path cost the server. */
interface Cost {
  readonly items: number;
  readonly perSecond: number;
  readonly mainUs: number;
  readonly processUs: number;
}

/**
 * What the one main thread can carry: its CPU time per item with a model that costs next to nothing, and the ceiling that
 * follows, 1 / CPU time. CPU time holds on a busy machine; the throughput beside it is what these cores allowed, with
 * the session and the load generator on them, too.
 */
export const frontEnd: Scenario = {
  name: 'front-end',
  summary: 'CPU time of the main thread per item, computed and from the cache, and the ceiling that follows.',
  bars: [],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { processes, progress, signal, rounds, threads, short } = context;
  const durationMs = context.durationMs ?? (short ? 500 : 5_000);
  const model = provideTinyModel(processes);
  const texts = model.texts(TEXTS);
  const server = await processes.server({
    ...model.settings,
    VERDICT_INTRA_OP_THREADS: String(threads),
    VERDICT_DRAIN_GRACE_MS: '0',
  });
  const to = { address: server.address, model: model.name, texts };
  const soak = await Soak.start(processes, to);
  const calls = { ...to, connections: 4, headers: {} };
  const computed = await PacedCalls.start(processes, 1, { ...calls, bypassCache: true });
  const hits = await PacedCalls.start(processes, 1, { ...calls, bypassCache: false });
  const span: PacedSpan = { durationMs, rampMs: 0, deadlineMs: Number.POSITIVE_INFINITY };
  const unary = (from: PacedCalls) => async () => (await from.closed(span, UNARY_IN_FLIGHT)).okMs.length;
  const stream = (cache: SoakRun['cache']) => async () =>
    (await soak.run({ durationMs, streams: STREAMS, inFlightPerStream: 64, cache })).answered;
  const rows = await alternate(
    {
      unaryCompute: () => cost(server, durationMs, unary(computed)),
      streamCompute: () => cost(server, durationMs, stream('bypass')),
      unaryHit: () => cost(server, durationMs, unary(hits)),
      streamHit: () => cost(server, durationMs, stream('hit')),
    },
    {
      rounds,
      progress,
      signal,
      describe: ({ mainUs, perSecond }) =>
        `${mainUs.toFixed(1)} us of main thread, ${perSecond.toFixed(0)}/s`,
    },
  );
  return findings(rows);
}

async function cost(server: ServerProcess, durationMs: number, pass: () => Promise<number>): Promise<Cost> {
  const before = processorTime(server.pid);
  const items = await pass();
  const { mainThreadMs, otherThreadsMs } = timeBetween(before, processorTime(server.pid));
  return {
    items,
    perSecond: (1000 * items) / durationMs,
    mainUs: (1000 * mainThreadMs) / items,
    processUs: (1000 * (mainThreadMs + otherThreadsMs)) / items,
  };
}

function findings(rounds: readonly Readonly<Record<Path, Cost>>[]): Findings {
  const values = (path: Path, name: keyof Cost) => rounds.map((round) => round[path][name]);
  const ceiling = (path: Path) => median(values(path, 'mainUs').map((us) => 1e6 / us));
  return {
    measurements: paths.flatMap((path) => [
      { name: `${PATHS[path]}: main thread per item`, unit: 'us', values: values(path, 'mainUs') },
      {
        name: `${PATHS[path]}: whole main process per item, tokenizer thread and collector included`,
        unit: 'us',
        values: values(path, 'processUs'),
      },
      {
        name: `${PATHS[path]}: ceiling of one main thread`,
        unit: 'items/s',
        values: values(path, 'mainUs').map((us) => 1e6 / us),
      },
      {
        name: `${PATHS[path]}: throughput on this machine`,
        unit: 'items/s',
        values: values(path, 'perSecond'),
      },
    ]),
    rounds: rounds.map((round) =>
      Object.fromEntries(
        paths.flatMap((path) =>
          Object.entries(round[path]).map(([name, value]) => [`${path} ${name}`, value] as const),
        ),
      ),
    ),
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'What one main thread can carry',
        subtitle: 'Items per second of its CPU time, with a model that costs next to nothing',
        valueAxis: 'items/s',
        categories: paths.map((path) => PATHS[path]),
        series: [
          { name: 'ceiling: 1 / CPU time per item', values: paths.map(ceiling) },
          {
            name: 'measured, all on the same cores',
            values: paths.map((path) => median(values(path, 'perSecond'))),
          },
        ],
      },
    ],
  };
}
