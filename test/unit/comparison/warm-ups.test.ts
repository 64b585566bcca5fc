import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { LruStore } from '../../../src/cache/lru-store.js';
import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import type { Keyspace, Resolved } from '../../../src/cache/types.js';
import { RecentInputs } from '../../../src/comparison/recent-inputs.js';
import { WarmUps } from '../../../src/comparison/warm-ups.js';
import { requestOf, ToldVersion } from './compared-versions.js';

const bad = [1, 0];
const good = [0, 1];
const resolved = (logits: readonly number[]): Resolved => ({
  entry: { logits: Float32Array.from(logits), tokenCount: 3, truncated: false },
  outcome: 'miss',
  timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, batchSize: 1 },
});
const STAY = new AbortController().signal;

describe('the latest inputs', () => {
  const version = new ToldVersion('1', () => bad);
  let recent: RecentInputs;
  beforeEach(() => {
    recent = new RecentInputs(3);
  });
  const keep = (text: string, keyspace: Keyspace | undefined = '', more = {}, startedAt = Infinity) =>
    recent.keep(version, requestOf(text, more), keyspace, resolved(bad), startedAt);
  const texts = () => recent.of('tone').map(({ input }) => input.text);

  it('are kept once each, the latest first, and no more than there may be', () => {
    for (const text of ['a', 'b', 'a', 'c', 'd']) keep(text);
    assert.deepEqual(texts(), ['d', 'c', 'a']);
  });

  it('are those of shared answers alone', () => {
    keep('of its own', 'key:clinic');
    recent.keep(version, requestOf('of nobody'), undefined, resolved(bad), Infinity);
    const options = { ...requestOf('').options, cache: 'bypass' as const };
    keep('past the cache', '', { options });
    assert.deepEqual(texts(), []);
  });

  it('are bounded by their length too', () => {
    const long = 'x'.repeat(2 ** 22);
    for (const text of ['a', `${long}1`, `${long}2`]) keep(text);
    assert.deepEqual(
      texts().map((text) => text.at(-1)),
      ['2'],
    );
    keep('y'.repeat(2 ** 23 + 1));
    assert.equal(texts().length, 1);
  });

  it('are forgotten by text and by pair, and so is what is being answered', () => {
    keep('a');
    keep('b');
    const pair = { text: 'a', textPair: 'b' };
    keep('', '', { input: pair });
    recent.forget({ text: 'a' }, (model) => model === 'mood');
    assert.equal(texts().length, 3);
    recent.forget({ text: 'a' }, () => true);
    assert.deepEqual([recent.has('tone', { text: 'a' }), recent.has('tone', pair)], [false, true]);
    recent.forget(pair, () => true);
    assert.deepEqual(texts(), ['b']);
    keep('a', '', {}, performance.now() - 1_000);
    assert.deepEqual(texts(), ['b'], 'it came before it was forgotten');
    recent.retain(['mood']);
    assert.deepEqual(texts(), []);
  });
});

describe('a version that is about to take over', () => {
  let recent: RecentInputs;
  let cache: TieredResultCache;
  let warmUps: WarmUps;
  const former = new ToldVersion('1', () => bad);
  const keep = (text: string, by = former) => recent.keep(by, requestOf(text), '', resolved(bad), Infinity);

  beforeEach(() => {
    recent = new RecentInputs(10);
    cache = new TieredResultCache({ lru: new LruStore({ maxBytes: 2 ** 20 }) });
    warmUps = new WarmUps({ recent, cache, now: () => performance.now() });
  });

  it('is asked the latest inputs first; its answers are cached and compared with the former ones', async () => {
    for (const text of ['same', 'other']) keep(text);
    keep('by a third', new ToldVersion('3', () => bad));
    const version = new ToldVersion('2', (text) => (text === 'other' ? good : bad));
    assert.deepEqual(await warmUps.warm(version, former, STAY), {
      ...{ texts: 3, failed: 0, compared: 2, flipped: 1 },
    });
    assert.deepEqual(version.asked, ['by a third', 'other', 'same']);
    assert.deepEqual(await warmUps.warm(version, former, STAY), {
      ...{ texts: 3, failed: 0, compared: 2, flipped: 1 },
    });
    assert.equal(version.asked.length, 3, 'its answers were cached');
  });

  it('is asked nothing where nothing was asked', async () => {
    assert.equal(await warmUps.warm(former, former, STAY), undefined);
  });

  it('may fail at some, and is not compared where the labels are others', async () => {
    for (const text of ['a', 'b']) keep(text);
    const version = new ToldVersion('2', (text) => (text === 'a' ? new Error('no') : good));
    Object.assign(version, { labels: ['bad', 'worse'] });
    assert.deepEqual(await warmUps.warm(version, former, STAY), {
      ...{ texts: 2, failed: 1, compared: 0, flipped: 0 },
    });
  });

  it('counts among those whose answers are forgotten until it serves, and is not asked what was forgotten', async () => {
    for (const text of ['first', 'second']) keep(text);
    const version: ToldVersion = new ToldVersion('2', async (text) => {
      assert.deepEqual(warmUps.versions('tone'), [version]);
      for (const input of [{ text }, { text: 'first' }]) {
        recent.forget(input, () => true);
        await cache.forget([version.cacheKey(input, 'end', '')]);
      }
      return bad;
    });
    const found = await warmUps.warm(version, former, STAY);
    assert.deepEqual([found?.texts, version.asked], [1, ['second']]);
    const kept = await cache.forget(['first', 'second'].map((text) => version.cacheKey({ text }, 'end', '')));
    assert.equal(kept.memory, 0);
    assert.deepEqual([warmUps.versions('').length, warmUps.versions('mood').length], [1, 0]);
    warmUps.end(version);
    assert.deepEqual(warmUps.versions('tone'), []);
  });

  it('is given up with the reload', async () => {
    for (const text of ['a', 'b']) keep(text);
    const stop = new AbortController();
    const reason = new Error('the server is shutting down');
    const version = new ToldVersion('2', () => {
      stop.abort(reason);
      return new Promise(() => {});
    });
    await assert.rejects(warmUps.warm(version, former, stop.signal), reason);
    assert.deepEqual([version.asked.length, warmUps.versions('').length], [1, 0]);
  });
});
