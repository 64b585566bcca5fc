import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CacheOutcome, ClassifyCallOptions, StreamItem } from '../../clients/typescript/src/index.js';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';

describe('the result cache', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics', 'pairs']);
  });

  after(() => service.stop());

  async function outcomeOf(text: string, options: ClassifyCallOptions = {}): Promise<CacheOutcome> {
    return (await service.client.classify(text, options)).cache;
  }

  it('computes a text once, and then has it at hand for every kind of call', async () => {
    const runs = await service.itemsRun('topics');
    assert.equal(await outcomeOf('asked for again and again'), 'miss');
    assert.equal(await outcomeOf('asked for again and again'), 'lru');
    const [inBatch] = await service.client.classifyBatch(['asked for again and again']);
    assert.ok(inBatch?.ok);
    assert.equal(inBatch.classification.cache, 'lru');
    for await (const result of service.client.classifyStream(['asked for again and again'])) {
      assert.ok(result.ok);
      assert.equal(result.classification.cache, 'lru');
    }
    assert.equal(await service.itemsRun('topics'), runs + 1);
  });

  it('keeps the models apart', async () => {
    assert.equal(await outcomeOf('for two models'), 'miss');
    assert.equal(await outcomeOf('for two models', { model: 'pairs' }), 'miss');
    assert.equal(await outcomeOf('for two models', { model: 'topics', version: '1' }), 'lru');
  });

  it('is left out under BYPASS: nothing is read and nothing written', async () => {
    const runs = await service.itemsRun('topics');
    assert.equal(await outcomeOf('passed by', { cache: 'bypass' }), 'bypassed');
    assert.equal(await outcomeOf('passed by', { cache: 'bypass' }), 'bypassed');
    assert.equal(await outcomeOf('passed by'), 'miss');
    assert.equal(await outcomeOf('passed by', { cache: 'bypass' }), 'bypassed');
    assert.equal(await service.itemsRun('topics'), runs + 4);
  });

  it('is written anew under REFRESH', async () => {
    const runs = await service.itemsRun('topics');
    assert.equal(await outcomeOf('made fresh', { cache: 'refresh' }), 'miss');
    assert.equal(await outcomeOf('made fresh'), 'lru');
    assert.equal(await outcomeOf('made fresh', { cache: 'refresh' }), 'miss');
    assert.equal(await outcomeOf('made fresh'), 'lru');
    assert.equal(await service.itemsRun('topics'), runs + 2);
  });

  it('runs a text once for a hundred callers that ask at the same time, whatever way they came', async () => {
    const text = 'what everybody asks at once';
    const runs = await service.itemsRun('topics');
    const joins = await service.server.metric('verdict_cache_joins_total');
    const outcomes: CacheOutcome[] = [];
    const unary = async () => void outcomes.push(await outcomeOf(text));
    const batch = async () => {
      for (const result of await service.client.classifyBatch([text, text, text])) {
        outcomes.push(result.ok ? result.classification.cache : 'unknown');
      }
    };
    const stream = async () => {
      for await (const result of service.client.classifyStream(Array<string>(10).fill(text))) {
        outcomes.push(result.ok ? result.classification.cache : 'unknown');
      }
    };
    const release = service.holdSession('topics');
    try {
      const callers = [
        ...Array.from({ length: 40 }, unary),
        ...Array.from({ length: 10 }, batch),
        ...Array.from({ length: 3 }, stream),
      ];
      await until('everybody waits for the same run', async () => {
        return (await service.server.metric('verdict_cache_joins_total')) === joins + 99;
      });
      release();
      await Promise.all(callers);
    } finally {
      release();
    }
    assert.equal(outcomes.filter((outcome) => outcome === 'miss').length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === 'coalesced').length, 99);
    assert.equal(await service.itemsRun('topics'), runs + 1);
  });

  it('who bypasses the cache joins no computation under way', async () => {
    const runs = await service.itemsRun('topics');
    const release = service.holdSession('topics');
    try {
      const occupying = outcomeOf('keeps the session busy');
      await service.untilRunning('topics');
      const callers = [undefined, 'bypass', 'bypass', undefined, 'refresh'] as const;
      const outcomes = callers.map((cache) => outcomeOf('one text, five callers', { cache }));
      await service.untilQueued('topics', 4);
      release();
      assert.deepEqual(await Promise.all(outcomes), ['miss', 'bypassed', 'bypassed', 'coalesced', 'miss']);
      await occupying;
    } finally {
      release();
    }
    assert.equal(await service.itemsRun('topics'), runs + 5);
  });

  it('one waiter that leaves takes nothing from the others', async () => {
    const text = 'two wait, one leaves';
    const runs = await service.itemsRun('topics');
    const joins = await service.server.metric('verdict_cache_joins_total');
    const leaving = new AbortController();
    const release = service.holdSession('topics');
    try {
      const first = outcomeOf(text, { signal: leaving.signal });
      await service.untilRunning('topics');
      const second = outcomeOf(text);
      await until('the second has joined', async () => {
        return (await service.server.metric('verdict_cache_joins_total')) === joins + 1;
      });
      leaving.abort();
      await assert.rejects(first, { code: 'CANCELLED' });
      release();
      assert.equal(await second, 'coalesced');
    } finally {
      release();
    }
    assert.equal(await service.itemsRun('topics'), runs + 1);
  });

  it('a failed input is not remembered: its neighbours of later are computed', async () => {
    await assert.rejects(outcomeOf('x'.repeat(400).replaceAll('x', 'x '), { truncation: 'reject' }));
    const item: StreamItem = { text: 'x '.repeat(400), options: { truncation: 'end' } };
    for await (const result of service.client.classifyStream([item])) {
      assert.ok(result.ok);
      assert.deepEqual([result.classification.cache, result.classification.truncated], ['miss', true]);
    }
  });

  it('shows its size in the metrics', async () => {
    const entries = await service.server.metric('verdict_cache_entries');
    const bytes = await service.server.metric('verdict_cache_bytes');
    assert.ok(entries > 0 && bytes > 0);
    await outcomeOf('one entry more');
    assert.equal(await service.server.metric('verdict_cache_entries'), entries + 1);
    assert.ok((await service.server.metric('verdict_cache_bytes')) > bytes);
  });
});

describe('a server whose memory tier is switched off', () => {
  it('computes every time, and still shares what is under way', async () => {
    const service = await Service.start(['topics'], { VERDICT_CACHE_MAX_BYTES: '0' });
    try {
      const ask = async () => (await service.client.classify('not kept')).cache;
      assert.deepEqual([await ask(), await ask()], ['miss', 'miss']);
      const release = service.holdSession('topics');
      const both = [ask(), ask()];
      await until('the second has joined', async () => {
        return (await service.server.metric('verdict_cache_joins_total')) === 1;
      }).finally(release);
      assert.deepEqual((await Promise.all(both)).sort(), ['coalesced', 'miss']);
    } finally {
      await service.stop();
    }
  });
});
