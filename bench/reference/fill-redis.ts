import type { RedisProcess } from './redis-process.js';

/** How long both servers let an entry live, as they are shipped. */
const TTL_MS = 3_600_000;

/**
 * Puts an entry into Redis for every text that has none, in the form in which a server keeps its own: a copy of one that it
 * wrote itself. What a hit costs does not depend on the numbers in it.
 *
 * @param keyOf the key under which the server keeps its answer to a text
 * @param answered texts that the server has answered; it may have failed to write one or another
 * @throws Error where the server has no entry under the key of any of them: then `keyOf` is wrong
 */
export async function fillRedis(
  redis: RedisProcess,
  texts: readonly string[],
  { keyOf, answered }: { readonly keyOf: (text: string) => string; readonly answered: readonly string[] },
): Promise<void> {
  const entries = await Promise.all(answered.map((text) => redis.read(keyOf(text))));
  const entry = entries.find((found) => found !== undefined);
  if (entry === undefined) throw new Error('no text that was answered is in Redis under the key expected');
  await redis.fill(texts.map(keyOf), entry, TTL_MS);
}
