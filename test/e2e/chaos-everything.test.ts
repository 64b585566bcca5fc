import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { collect } from '../support/collect.js';
import { count, type Outcomes, outcomeOf, total } from '../support/outcomes.js';
import { RedisServer } from '../support/redis-server.js';
import { ServedModels } from '../support/served-models.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const skip = await skipWithout('redis-server');

const queueFull = 'RESOURCE_EXHAUSTED QUEUE_FULL';
const poisoned = 'INTERNAL INFERENCE_FAILED';
const lostTwice = 'INTERNAL RUNTIME_LOST';

/** Requests that are wrong, and what each must end with. */
const badRequests: readonly [expected: string, ask: (client: VerdictClient) => Promise<unknown>][] = [
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classify('')],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classify(' \n\t')],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classify('x'.repeat(8193))],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classify('team', { model: '../team' })],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classify('team', { version: 'Latest!' })],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classify('team', { minScore: Number.NaN })],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classifyBatch([])],
  ['INVALID_ARGUMENT INVALID_FIELD', (client) => client.classifyBatch(Array(33).fill('team'))],
  ['NOT_FOUND MODEL_NOT_FOUND', (client) => client.classify('team', { model: 'none' })],
  ['NOT_FOUND VERSION_NOT_FOUND', (client) => client.classify('team', { version: '99' })],
  // Odd, but nothing is wrong with it; and the queue of this model is never full.
  ['OK', (client) => client.classify('😀 日本の料理 \u0000 café', { model: 'poison', cache: 'bypass' })],
];

/** Callers that go on until they are told to stop, and the account of all that they sent and got. */
class Crowd {
  readonly sent: Record<string, number> = {};
  readonly got: Record<string, Outcomes> = {};
  readonly #client: VerdictClient;
  readonly #callers: Promise<void>[] = [];
  #stopped = false;
  #made = 0;

  constructor(client: VerdictClient) {
    this.#client = client;
  }

  /** `callers` that ask one text of the model after the other. */
  unary(kind: string, model: string, callers: number): void {
    this.#begin(kind, callers, async () => {
      const answer = this.#client.classify(this.#text(kind), { model });
      this.#note(kind, await answer.then(() => outcomeOf(), outcomeOf));
    });
  }

  /** One stream on the default model. */
  stream(kind: string): void {
    const isStopped = () => this.#stopped;
    const text = () => this.#text(kind);
    const source = function* () {
      while (!isStopped()) yield text();
    };
    this.#begin(kind, 1, async () => {
      for await (const result of this.#client.classifyStream(source())) {
        this.#note(kind, outcomeOf(result.ok ? undefined : result.error));
      }
    });
  }

  /** Batches and streams with a row that the model cannot run among others. */
  poison(kind: string): void {
    this.#begin(kind, 1, async () => {
      const texts = () => [this.#text(kind), this.#text(kind, 'poison'), this.#text(kind)];
      const batch = await this.#client.classifyBatch(texts(), { model: 'poison' });
      const stream = await collect(this.#client.classifyStream(texts(), { defaultModel: 'poison' }));
      for (const result of [...batch, ...stream]) {
        this.#note(kind, outcomeOf(result.ok ? undefined : result.error));
      }
    });
  }

  /** Every bad request in turn; each outcome is noted as right or wrong. */
  bad(kind: string): void {
    this.#begin(kind, 1, async () => {
      for (const [expected, ask] of badRequests) {
        this.sent[kind] = (this.sent[kind] ?? 0) + 1;
        const outcome = await ask(this.#client).then(() => outcomeOf(), outcomeOf);
        this.#note(kind, outcome === expected ? 'as expected' : `${outcome} instead of ${expected}`);
      }
    });
  }

  /** Waits until each kind has had some more answers. */
  async untilProgress(): Promise<void> {
    const before = Object.values(this.got).map(total);
    await until(
      'everybody gets on',
      () => Object.values(this.got).every((got, i) => total(got) > (before[i] ?? 0) + 5),
      30_000,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  #begin(kind: string, callers: number, round: () => Promise<void>): void {
    this.got[kind] = {};
    const call = async (): Promise<void> => {
      while (!this.#stopped) await round();
    };
    for (let i = 0; i < callers; i++) this.#callers.push(call());
  }

  #text(kind: string, word = 'coach'): string {
    this.sent[kind] = (this.sent[kind] ?? 0) + 1;
    return `the ${word} of team ${this.#made++}`;
  }

  #note(kind: string, outcome: string): void {
    const got = this.got[kind] ?? {};
    this.got[kind] = got;
    count(got, outcome);
  }
}

describe('everything at once', { skip }, () => {
  it('loses no request that was accepted and does not end the server', async (t) => {
    const redis = await RedisServer.start();
    t.after(() => redis.stop());
    const served = await ServedModels.start(t, ['topics', 'slow', 'poison'], {
      REDIS_URL: redis.url,
      VERDICT_MAX_QUEUE_ITEMS: '8',
      VERDICT_BATCH_MAX_ITEMS: '4',
    });
    const crowd = new Crowd(served.client());
    t.after(() => crowd.stop());
    crowd.unary('unary', 'topics', 4);
    // The slow model holds 12.
    crowd.unary('overload', 'slow', 24);
    crowd.stream('stream one');
    crowd.stream('stream two');
    crowd.poison('poison');
    crowd.bad('bad');
    await crowd.untilProgress();

    await redis.kill();
    process.kill(served.sessions('topics')[0] ?? 0, 'SIGKILL');
    process.kill(served.sessions('slow')[0] ?? 0, 'SIGKILL');
    await crowd.untilProgress();
    await redis.restart();
    await crowd.untilProgress();
    redis.pause();
    await until('the session is back', () => served.sessions('topics').length === 1);
    process.kill(served.sessions('topics')[0] ?? 0, 'SIGKILL');
    process.kill(served.sessions('poison')[0] ?? 0, 'SIGKILL');
    await crowd.untilProgress();
    redis.resume();
    await crowd.untilProgress();
    await crowd.stop();

    for (const [kind, sent] of Object.entries(crowd.sent)) {
      assert.equal(total(crowd.got[kind] ?? {}), sent, `${kind}: each request has one outcome`);
    }
    const allowed: Record<string, string[]> = {
      unary: ['OK', queueFull, lostTwice],
      overload: ['OK', queueFull, lostTwice],
      'stream one': ['OK', lostTwice],
      'stream two': ['OK', lostTwice],
      poison: ['OK', poisoned, lostTwice],
      bad: ['as expected'],
    };
    for (const [kind, outcomes] of Object.entries(allowed)) {
      const others = Object.keys(crowd.got[kind] ?? {}).filter((outcome) => !outcomes.includes(outcome));
      assert.deepEqual(others, [], kind);
    }
    assert.ok((crowd.got.overload?.[queueFull] ?? 0) > 0);
    assert.ok((crowd.got.poison?.[poisoned] ?? 0) > 0);
    await until('all losses are in the log', () => served.logged('session lost').length === 4);

    await served.untilServing();
    await served.untilQuiet();
    const client = served.client();
    for (const model of ['topics', 'slow', 'poison']) {
      assert.equal((await client.classify('the coach', { model, cache: 'bypass' })).cache, 'bypassed');
    }
  });
});
