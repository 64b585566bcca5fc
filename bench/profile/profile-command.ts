import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import type { HeapProfiler, Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { BenchModels, usualPrecision } from '../bench-models.js';
import { Inputs } from '../inputs/inputs.js';
import { ClosedLoop, type LoadMode } from '../load/closed-loop.js';
import { ProcessSet } from '../process-set.js';
import { formatNumber } from '../report/format-value.js';
import type { Profiles } from './agent.js';
import { flamePage } from './flame-page.js';
import { flameTree } from './flame-tree.js';
import type { ProfileLoad, ProfileOptions } from './profile-options.js';
import { type TopEntry, topByAllocation, topBySelfTime } from './top-list.js';

const TEXTS = 256;
const LIST_LENGTH = 25;
const BYTES_PER_KIB = 1024;

const LOADS: Readonly<Record<ProfileLoad, { readonly mode: LoadMode; readonly cache: CacheMode }>> = {
  'unary-hits': { mode: 'unary', cache: CacheMode.UNSPECIFIED },
  'stream-hits': { mode: 'stream', cache: CacheMode.UNSPECIFIED },
  'stream-misses': { mode: 'stream', cache: CacheMode.BYPASS },
};

/**
 * Profiles the main thread of a server under load, as it runs in production: metrics on, access log to a file. What
 * comes before, such as loading models and compiling the first calls, is left out.
 *
 * @returns Markdown: where the files are, and the functions that cost the most
 */
export async function runProfile(options: ProfileOptions): Promise<string> {
  const models = await BenchModels.open(options.model, usualPrecision(options.model));
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once('SIGINT', stop);
  const processes = new ProcessSet(stopped.signal);
  const folder = mkdtempSync(join(tmpdir(), 'verdict-profile-'));
  try {
    const texts = Inputs.open(options.dataFolder, (list) => models.encode(list)).sst2(TEXTS);
    const { profiles, answered } = await underLoad(options, models, texts, processes, folder);
    return writeProfiles(options, profiles, answered);
  } finally {
    process.removeListener('SIGINT', stop);
    await processes.stopAll();
    await models.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function underLoad(
  { load, inFlight, seconds, threads }: ProfileOptions,
  models: BenchModels,
  texts: readonly string[],
  processes: ProcessSet,
  folder: string,
): Promise<{ profiles: Profiles; answered: number }> {
  const { mode, cache } = LOADS[load];
  const model = models.get();
  const server = await processes.server(model.serverSettings(threads), {
    logTo: openSync(join(folder, 'access.log'), 'w'),
    agent: fileURLToPath(new URL('agent.js', import.meta.url)),
  });
  const loop = await ClosedLoop.start(processes, {
    address: server.address,
    model: model.name,
    texts,
    cache,
  });
  await loop.pass({ mode, inFlight });
  await server.askAgent({ request: 'start' });
  const endAt = performance.now() + 1000 * seconds;
  let answered = 0;
  while (performance.now() < endAt) answered += (await loop.pass({ mode, inFlight, repeat: 4 })).answered;
  return { profiles: await server.askAgent<Profiles>({ request: 'stop' }), answered };
}

function writeProfiles(
  { load, model, inFlight, outFolder }: ProfileOptions,
  { cpu, heap }: Profiles,
  answered: number,
): string {
  const profile = cpu as Profiler.Profile;
  const title = `Main thread, ${load}, ${inFlight} in flight, ${model}`;
  mkdirSync(outFolder, { recursive: true });
  const write = (ending: string, contents: string) => {
    const path = join(outFolder, `profile-${load}.${ending}`);
    writeFileSync(path, contents);
    return path;
  };
  const paths = [
    write('html', flamePage(title, flameTree(profile))),
    write('cpuprofile', JSON.stringify(cpu)),
    write('heapprofile', JSON.stringify(heap)),
  ];
  const perText = (entries: readonly TopEntry[], scale: number, unit: string) =>
    entries.map(
      ({ name, self, share }) =>
        `| ${(100 * share).toFixed(1)} % | ${formatNumber((scale * self) / answered)} ${unit} | \`${name}\` |`,
    );
  return [
    `## ${title}: ${answered} texts`,
    '',
    ...paths.map((path) => `- ${path}`),
    '',
    '| self time | per text | function |',
    '|---|---|---|',
    ...perText(topBySelfTime(profile, LIST_LENGTH), 1000, 'µs'),
    '',
    '| allocated | per text | function |',
    '|---|---|---|',
    ...perText(
      topByAllocation(heap as HeapProfiler.SamplingHeapProfile, LIST_LENGTH),
      1 / BYTES_PER_KIB,
      'KiB',
    ),
    '',
  ].join('\n');
}
