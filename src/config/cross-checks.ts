import { isLoopback } from './loopback.js';
import { pinnedModels } from './pinned-models.js';
import type { SettingValues } from './schema.js';

/**
 * The server accepts messages as large as a full batch of pairs of the longest texts (3 bytes of UTF-8 per UTF-16
 * unit). A caller can make it hold that much, so it must be limited.
 */
const maxMessageBytes = 512 * 1024 * 1024;

/** Conflicts between values that are each valid alone. `nameOf` gives a setting's name as the user knows it. */
export function crossCheck(values: SettingValues, nameOf: (path: string) => string): string[] {
  const { server, http, tls, auth, admin, cache, limits, rateLimits, shutdown, batching, redis, models } =
    values;
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  expect(
    server.port === 0 || server.port !== admin.port,
    `${nameOf('admin.port')} is ${admin.port}: it must differ from ${nameOf('server.port')}.`,
  );
  const others = { server, admin };
  for (const [section, { port }] of Object.entries(others)) {
    expect(
      http.listen === 'off' || http.port === 0 || http.port !== port,
      `${nameOf('http.port')} is ${http.port}: it must differ from ${nameOf(`${section}.port`)}.`,
    );
  }
  expect(
    (tls.cert === undefined) === (tls.key === undefined),
    `${nameOf(tls.cert === undefined ? 'tls.key' : 'tls.cert')} is set: it needs ${nameOf(tls.cert === undefined ? 'tls.cert' : 'tls.key')} as well.`,
  );
  expect(
    tls.clientCa === undefined || tls.cert !== undefined || tls.key !== undefined,
    `${nameOf('tls.clientCa')} is set: it needs ${nameOf('tls.cert')} and ${nameOf('tls.key')}.`,
  );
  const tokens = ['jwtIssuer', 'jwtAudience', 'jwksUrl'] as const;
  const isSet = (name: (typeof tokens)[number]) => auth[name] !== undefined;
  const unset = tokens.filter((name) => !isSet(name)).map((name) => nameOf(`auth.${name}`));
  const set = tokens.filter(isSet).map((name) => nameOf(`auth.${name}`));
  expect(
    set.length === 0 || unset.length === 0,
    `${set[0]} is set: it needs ${unset.join(' and ')} as well.`,
  );
  expect(
    auth.jwksUrl === undefined || isPrivate(new URL(auth.jwksUrl)),
    `${nameOf('auth.jwksUrl')} is not https: whoever is on the way could sign tokens.`,
  );
  expect(
    cache.sharing !== 'own' || auth.keysFile !== undefined || auth.jwtIssuer !== undefined,
    `${nameOf('cache.sharing')} is own: it needs ${nameOf('auth.keysFile')} or ${nameOf('auth.jwtIssuer')}.`,
  );
  expect(
    rateLimits.shared === 'off' || redis.url !== undefined,
    `${nameOf('rateLimits.shared')} is on: it needs ${nameOf('redis.url')}.`,
  );
  expect(
    limits.maxBatchInputs * limits.maxTextChars * 2 * 3 <= maxMessageBytes,
    `${nameOf('limits.maxTextChars')} is ${limits.maxTextChars} and ${nameOf('limits.maxBatchInputs')} is ${limits.maxBatchInputs}: together they must keep a call under 512 MiB.`,
  );
  expect(
    shutdown.drainGraceMs <= shutdown.drainTimeoutMs,
    `${nameOf('shutdown.drainGraceMs')} is ${shutdown.drainGraceMs}: it must be at most ${nameOf('shutdown.drainTimeoutMs')}, ${shutdown.drainTimeoutMs}.`,
  );
  expect(
    batching.policy !== 'window' || batching.maxDelayMs > 0,
    `${nameOf('batching.maxDelayMs')} is 0: it must be above 0 if ${nameOf('batching.policy')} is window.`,
  );
  const pinned = pinnedModels(models).size;
  expect(
    models.cacheSize === 0 || pinned <= models.cacheSize,
    `${nameOf('models.pinned')} makes ${pinned} models with the default one: ${nameOf('models.cacheSize')} must be at least that, or 0, and is ${models.cacheSize}.`,
  );
  expect(
    redis.mode === 'single' || redis.url !== undefined,
    `${nameOf('redis.mode')} is ${redis.mode}: it needs ${nameOf('redis.url')}.`,
  );
  expect(
    redis.mode !== 'sentinel' || redis.sentinelName !== undefined,
    `${nameOf('redis.sentinelName')} is missing: sentinel mode needs it.`,
  );
  expect(
    redis.mode !== 'single' || redis.url?.match(/,rediss?:/) == null,
    `${nameOf('redis.url')} holds several URLs: ${nameOf('redis.mode')} must then be sentinel or cluster.`,
  );
  return problems;
}

/** Whether nobody on the way can change what comes from there. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
