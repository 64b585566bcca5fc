import { Soak, type SoakRun } from '../load/soak.js';
import { deviationPercent, growthPercent, medianPerPiece } from '../memory/flatness.js';
import { type MemoryReading, MemorySampler } from '../memory/memory-sampler.js';
import { measuredOnly } from '../report/measured-only.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';

const MODEL = 'sentiment';
const MINUTES = 10;
/** Full after about a minute at a thousand texts per second. */
const CACHE_BYTES = 16 * 2 ** 20;
const SOURCE_TEXTS = 10_000;
const FILL_STEP_MS = 5_000;

const PHASES = {
  bypass: { title: 'cache off', bar: 'memory-cache-off' },
  churn: { title: 'cache full', bar: 'memory-cache-full' },
} as const;

type Phase = keyof typeof PHASES;

/**
 * Whether memory stays where it is: minutes of saturation without the cache, then as many with a cache that fills and then
 * evicts all the time. A quick model, since what leaks, leaks per request. One pass of each, whatever the rounds.
 */
export const memory: Scenario = {
  name: 'memory',
  summary: 'Resident memory over 10 minutes saturated, cache off, and 10 with the cache full; sentiment.',
  bars: ['memory-cache-off', 'memory-cache-full'],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { inputs, processes, progress, signal, threads, short } = context;
  const durationMs = context.soakMs ?? (short ? 5_000 : MINUTES * 60_000);
  const server = await processes.server({
    VERDICT_DEFAULT_MODEL: MODEL,
    VERDICT_DEVICE: 'cpu',
    VERDICT_INTRA_OP_THREADS: String(threads),
    VERDICT_CACHE_MAX_BYTES: String(CACHE_BYTES),
    VERDICT_DRAIN_GRACE_MS: '0',
  });
  const texts = inputs.sst2(SOURCE_TEXTS);
  const soak = await Soak.start(processes, { address: server.address, model: MODEL, texts });
  const load: Omit<SoakRun, 'cache'> = { durationMs, streams: 4, inFlightPerStream: 64 };
  const readings = {} as Record<Phase, readonly MemoryReading[]>;
  const answered = {} as Record<Phase, number>;
  progress.expect(2);
  for (const phase of Object.keys(PHASES) as Phase[]) {
    signal.throwIfAborted();
    if (phase === 'churn') await fill(server, soak, load, signal);
    const sampler = new MemorySampler(server, Math.min(1_000, durationMs / 40));
    const run = soak.run({ ...load, cache: phase });
    // Also when the soak fails: a sampler that goes on would keep the suite from ending.
    await run.catch(() => sampler.stop().catch(() => []));
    answered[phase] = (await run).answered;
    readings[phase] = (await sampler.stop()).filter(({ atMs }) => atMs < durationMs);
    progress.advance(`${PHASES[phase].title}: ${answered[phase]} texts answered`);
  }
  return findings(readings, answered, durationMs);
}

/** Fills the cache, for as long as a phase takes at most: on a slow machine it would still grow in the third minute. */
async function fill(
  server: ServerProcess,
  soak: Soak,
  load: Omit<SoakRun, 'cache'>,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const bytes = async () => (await server.metrics()).value('verdict_cache_bytes');
  while ((await bytes()) < 0.95 * CACHE_BYTES && performance.now() - startedAt < load.durationMs) {
    signal.throwIfAborted();
    await soak.run({ ...load, durationMs: Math.min(FILL_STEP_MS, load.durationMs), cache: 'churn' });
  }
}

function findings(
  readings: Readonly<Record<Phase, readonly MemoryReading[]>>,
  answered: Readonly<Record<Phase, number>>,
  durationMs: number,
): Findings {
  const pieceMs = Math.min(60_000, durationMs / MINUTES);
  const phases = Object.keys(PHASES) as Phase[];
  const medians = (phase: Phase, name: Exclude<keyof MemoryReading, 'atMs'>) =>
    medianPerPiece(
      readings[phase].map((reading) => ({ atMs: reading.atMs, mb: reading[name] })),
      pieceMs,
    );
  const rounds = phases.flatMap((phase) => {
    const columns = (['mb', 'mainMb', 'sessionsMb', 'heapMb', 'externalMb', 'cacheMb'] as const).map(
      (name) => [name, medians(phase, name)] as const,
    );
    return medians(phase, 'mb').map((_, minute) => ({
      minute: minute + 1,
      cacheOff: phase === 'bypass' ? 1 : 0,
      ...Object.fromEntries(columns.map(([name, values]) => [name, values[minute] ?? Number.NaN])),
    }));
  });
  const minutes = pieceMs / 60_000;
  return {
    measurements: measuredOnly(
      phases.flatMap((phase) => [
        {
          name: `${MODEL}, 256 in flight, ${PHASES[phase].title}: largest deviation of a minute after the second`,
          unit: '%',
          values: [deviationPercent(medians(phase, 'mb'))],
          bar: PHASES[phase].bar,
        },
        {
          name: `${MODEL}, 256 in flight, ${PHASES[phase].title}: growth from the third minute to the last`,
          unit: '%',
          values: [growthPercent(medians(phase, 'mb'))],
        },
      ]),
    ),
    rounds,
    charts: [
      {
        kind: 'lines',
        name: '',
        title: 'Resident memory under saturation',
        subtitle: `All processes, ${MODEL}, median of each minute; the cache holds ${CACHE_BYTES / 2 ** 20} MiB`,
        xAxis: 'minutes',
        valueAxis: 'MB',
        series: phases.map((phase) => ({
          name: PHASES[phase].title,
          points: medians(phase, 'mb')
            .map((mb, minute) => [(minute + 1) * minutes, mb] as const)
            .filter(([, mb]) => Number.isFinite(mb)),
        })),
      },
    ],
    facts: Object.fromEntries(
      phases.map((phase) => [`texts answered, ${PHASES[phase].title}`, answered[phase]]),
    ),
  };
}
