import type { Settings } from './schema.js';

/**
 * The server takes messages as large as a batch of the most pairs of the longest texts (3 bytes of UTF-8 for each
 * UTF-16 unit). A caller may make it hold that much, so it must not be much.
 */
const maxMessageBytes = 512 * 1024 * 1024;

/** What is wrong between settings that are right each by itself. `nameOf` gives a setting's name as the user knows it. */
export function crossCheck(settings: Settings, nameOf: (path: string) => string): string[] {
  const { server, admin, limits, shutdown, batching, redis } = settings;
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  expect(
    server.port === 0 || server.port !== admin.port,
    `${nameOf('admin.port')} is ${admin.port}: it must differ from ${nameOf('server.port')}.`,
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
    `${nameOf('batching.maxDelayMs')} is 0: it must be above 0 where ${nameOf('batching.policy')} is window.`,
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
