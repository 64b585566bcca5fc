import { alternate } from '../alternate.js';
import { seededRandom } from '../inputs/random.js';
import { zipfSampler } from '../inputs/zipf.js';
import { type AnsweredPass, TextLoad } from '../load/text-load.js';
import { FastApiServer } from '../reference/fastapi-server.js';
import { RedisProcess } from '../reference/redis-process.js';
import type { Findings, Measurement, Scenario, ScenarioContext } from '../scenario.js';
import { median, ratios } from '../statistics.js';
import { describeTextPass, IN_FLIGHT } from './beside.js';

const TEXTS = 10_000;
const EXPONENT = 1;
/** Requests of a round for each text of `--texts`: 512 make as many requests as there are texts, and a few more. */
const REQUESTS_PER_TEXT = 20;
const SEED = 10_000;

/** A pass, and how much of it the cache answered. */
interface CachedPass extends AnsweredPass {
  readonly hitRatio: number;
}

/** Verdict beside the FastAPI baseline, both caching in Redis, with traffic that repeats itself. */
export const fastapiZipf: Scenario = {
  name: 'fastapi-zipf',
  summary: 'Beside FastAPI + Transformers, Zipf traffic (s = 1.0 over 10,000 texts), both caching in Redis.',
  bars: ['fastapi-zipf'],
  run,
};

/**
 * Every round has 10,000 texts of its own, so that both servers begin it with nothing cached in any tier, and neither has
 * to be restarted. Both get the same requests in the same order, with 32 in flight, and use one Redis, each with keys of
 * its own.
 */
async function run(context: ScenarioContext): Promise<Findings> {
  const { models, inputs, processes, threads, baseline, signal, rounds, short } = context;
  const model = models.get('fp32');
  const redis = processes.add(await RedisProcess.start(signal));
  const server = processes.add(
    await FastApiServer.start(
      {
        baselineFolder: baseline.folder,
        python: baseline.python,
        modelDirectory: model.directory,
        threads,
        redisUrl: redis.url,
      },
      signal,
    ),
  );
  const verdict = await processes.server({ ...model.serverSettings(threads), VERDICT_REDIS_URL: redis.url });
  const count = short ? 100 : TEXTS;
  const texts = distinct(await inputs.mix('tight', count * (rounds + 1)), count * (rounds + 1));
  const common = { model: model.name, bypassCache: false, maxInFlight: IN_FLIGHT };
  const start = (target: { protocol: 'fastapi' | 'verdict-unary' | 'verdict-stream'; address: string }) =>
    TextLoad.start(processes, { ...common, ...target }, texts);
  const peer = await start({ protocol: 'fastapi', address: server.address });
  const own = await start({ protocol: 'verdict-unary', address: verdict.address });
  const requests = context.texts * REQUESTS_PER_TEXT;
  const order = (round: number) => zipfOrder(round, count, requests);
  // The warm-up has texts of its own too; it need not be long.
  await peerPass(peer, server, order(0).slice(0, context.texts));
  await ownPass(own, order(0).slice(0, context.texts));
  const turns = { peer: 0, own: 0 };
  const results = await alternate(
    {
      peer: () => peerPass(peer, server, order(++turns.peer)),
      own: () => ownPass(own, order(++turns.own)),
    },
    {
      ...context,
      warmUp: false,
      describe: (pass) => `${describeTextPass(pass)}, ${(100 * pass.hitRatio).toFixed(0)} % cached`,
    },
  );
  const rates = (side: 'peer' | 'own') => results.map((round) => round[side].textsPerSecond);
  const hitRatios = (side: 'peer' | 'own') => results.map((round) => round[side].hitRatio);
  const measurements: Measurement[] = [
    {
      name: `${model.title}, unary, Zipf traffic, ${IN_FLIGHT} in flight: Verdict / FastAPI, throughput`,
      unit: 'x',
      values: ratios(rates('own'), rates('peer')),
      reference: rates('peer'),
      bar: 'fastapi-zipf',
    },
    { name: 'Share of the texts that its cache answered, Verdict', unit: 'of 1', values: hitRatios('own') },
    {
      name: 'Share of the texts that joined a computation under way, Verdict',
      unit: 'of 1',
      values: results.map((round) => round.own.bySource.joined / requests),
    },
    { name: 'Share of the texts that its cache answered, FastAPI', unit: 'of 1', values: hitRatios('peer') },
  ];
  return {
    measurements,
    rounds: results.map(({ peer: theirs, own: ours }) => ({
      fastapiTextsPerSecond: theirs.textsPerSecond,
      fastapiHitRatio: theirs.hitRatio,
      verdictTextsPerSecond: ours.textsPerSecond,
      verdictHitRatio: ours.hitRatio,
    })),
    facts: { 'texts of a round': count, 'requests of a round': requests },
    charts: [
      {
        kind: 'bars',
        name: '',
        title: 'Traffic that repeats itself',
        subtitle: `Zipf, s = 1.0 over ${count} texts, ${requests} requests from empty caches; ${model.title}, ${threads} threads`,
        valueAxis: 'texts/s',
        categories: ['FastAPI + Redis', 'Verdict + Redis'],
        series: [{ name: 'texts/s', values: [median(rates('peer')), median(rates('own'))] }],
      },
    ],
  };
}

/** What the round sends: indices into its own share of the texts, the same for both servers. */
function zipfOrder(round: number, count: number, requests: number): number[] {
  const draw = zipfSampler(count, EXPONENT, seededRandom(SEED + round));
  return Array.from({ length: requests }, () => round * count + draw());
}

/** A text that comes twice would be cached early: it gets its place in the list in front. */
function distinct(texts: readonly string[], length: number): string[] {
  const seen = new Set<string>();
  return Array.from({ length }, (_, i) => {
    const text = texts[i] ?? '';
    const own = seen.has(text) ? `${i} ${text}` : text;
    seen.add(own);
    return own;
  });
}

async function peerPass(
  load: TextLoad,
  server: FastApiServer,
  order: readonly number[],
): Promise<CachedPass> {
  const before = await server.counts();
  const pass = await load.pass({ inFlight: IN_FLIGHT, order });
  const after = await server.counts();
  return { ...pass, hitRatio: (after.cacheHits - before.cacheHits) / order.length };
}

/** Texts that joined a computation under way are no hits: they waited for the model, though nothing was computed for them. */
async function ownPass(load: TextLoad, order: readonly number[]): Promise<CachedPass> {
  const pass = await load.pass({ inFlight: IN_FLIGHT, order });
  return { ...pass, hitRatio: pass.bySource.cache / order.length };
}
