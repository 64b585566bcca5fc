import { CacheKeyer } from '../../src/cache/key.js';
import { textKey } from '../../src/preprocessing/text-preprocessor.js';
import { type CachedPass, fastApiPass, verdictPass } from '../load/cached-pass.js';
import type { Protocol } from '../load/clients/make-text-client.js';
import { TextLoad } from '../load/text-load.js';
import { FastApiServer } from '../reference/fastapi-server.js';
import { fillRedis } from '../reference/fill-redis.js';
import { RedisProcess } from '../reference/redis-process.js';
import type { ScenarioContext } from '../scenario.js';
import { servedVersion } from '../served-version.js';
import { IN_FLIGHT } from './beside.js';

/** What Verdict's keys in Redis start with, as it is shipped. */
const KEY_PREFIX = 'verdict:';

/** Sends the texts at these indices, in this order. */
export type SendTexts = (order: readonly number[]) => Promise<CachedPass>;

/** The servers, and the ways to ask them. */
export interface ZipfContenders {
  /** FastAPI. */
  readonly peer: SendTexts;
  /** Verdict, by unary calls. */
  readonly own: SendTexts;
  /** The same server, over one stream. */
  readonly stream: SendTexts;
  /**
   * Puts an answer of each server to every one of these texts into Redis where there is none.
   *
   * @param answered some that both have answered
   */
  readonly fill: (texts: readonly string[], answered: readonly string[]) => Promise<void>;
}

/** The FastAPI baseline and Verdict in fp32 on one Redis, each with keys of its own. */
export async function startZipfContenders(
  { models, processes, threads, baseline, signal }: ScenarioContext,
  texts: readonly string[],
): Promise<ZipfContenders> {
  models.require('fp32');
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
  const keyer = new CacheKeyer((await servedVersion(verdict.address, model.name)).digest);
  const load = (protocol: Protocol, address: string) =>
    TextLoad.start(
      processes,
      { protocol, address, model: model.name, bypassCache: false, maxInFlight: IN_FLIGHT },
      texts,
    );
  const peer = await load('fastapi', server.address);
  const own = await load('verdict-unary', verdict.address);
  const stream = await load('verdict-stream', verdict.address);
  return {
    peer: (order) => fastApiPass(peer, server, { inFlight: IN_FLIGHT, order }),
    own: (order) => verdictPass(own, verdict, { inFlight: IN_FLIGHT, order }),
    stream: (order) => verdictPass(stream, verdict, { inFlight: IN_FLIGHT, order }),
    fill: async (all, answered) => {
      await fillRedis(redis, all, { keyOf: (text) => server.cacheKey(text), answered });
      const keyOf = (text: string) => KEY_PREFIX + keyer.key(textKey({ text }), 'end');
      await fillRedis(redis, all, { keyOf, answered });
    },
  };
}
