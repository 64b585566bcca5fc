import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { VerdictClientError } from '../../clients/typescript/src/index.js';
import { collect } from '../support/collect.js';
import { count, type Outcomes, outcomeOf, outcomesOf, total } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { until } from '../support/until.js';

let made = 0;
const freshText = (): string => `the coach of team ${made++}`;
const freshTexts = (number: number): string[] => Array.from({ length: number }, freshText);

const queueFull = 'RESOURCE_EXHAUSTED QUEUE_FULL';

// A run of `slow` takes a tenth of a second and more, so few callers are too many for it.
describe('overload of a slow model with a short queue', () => {
  const endings: (() => Promise<void>)[] = [];
  let served: ServedModels;

  before(async () => {
    const cleanup = { after: (step: () => Promise<void>) => endings.push(step) };
    served = await ServedModels.start(cleanup, ['slow'], {
      VERDICT_MAX_QUEUE_ITEMS: '8',
      VERDICT_BATCH_MAX_ITEMS: '4',
      // A machine with ten times the work it has cores for takes half a minute for what the streams ask.
      VERDICT_DEFAULT_DEADLINE_MS: '120000',
    });
  });

  after(async () => {
    for (const end of endings) await end();
  });

  it('refuses what the queue cannot hold, saying when to come back, and answers the rest', async () => {
    const client = served.client();
    const calls = freshTexts(200).map((text) => client.classify(text));
    const refusals = (await Promise.allSettled(calls)).flatMap((ended) =>
      ended.status === 'rejected' ? [ended.reason as unknown] : [],
    );
    for (const refusal of refusals) {
      assert.ok(refusal instanceof VerdictClientError);
      assert.equal(outcomeOf(refusal), queueFull);
      assert.ok((refusal.retryAfterMs ?? 0) > 0);
    }
    const answered = calls.length - refusals.length;
    // Three quarters of the queue, which is what one caller may fill, and the batch that left room for some of it.
    assert.ok(answered >= 6, `${answered} were answered`);
    assert.ok(refusals.length > answered);
    const labels = { model: 'slow', reason: 'queue_full' };
    assert.equal(await served.server.metric('verdict_shed_total', labels), refusals.length);
    await served.untilServing();
  });

  it('of twice what it can do refuses the surplus, and nobody gets anything else', async () => {
    const client = served.client();
    const outcomes: Outcomes = {};
    // The queue and the running batch hold 12.
    const callers = Array.from({ length: 24 }, async () => {
      for (const text of freshTexts(3)) {
        count(outcomes, await client.classify(text).then(() => outcomeOf(), outcomeOf));
      }
    });
    await Promise.all(callers);
    assert.equal(total(outcomes), 24 * 3);
    assert.deepEqual(Object.keys(outcomes).sort(), ['OK', queueFull]);
    assert.equal(await client.health(), 'serving');
  });

  it('fails a whole batch that the queue cannot hold, and gives up its inputs', async () => {
    const client = served.client();
    const calls = Array.from({ length: 6 }, () => client.classifyBatch(freshTexts(5)));
    const outcomes = await outcomesOf(calls);
    assert.ok((outcomes.OK ?? 0) >= 1);
    assert.ok((outcomes[queueFull] ?? 0) >= 1);
    assert.equal(total(outcomes), 6);
    await served.untilQuiet();
  });

  it('answers all callers in the end who come back when they are told to', async () => {
    const client = served.client({ retry: { maxAttempts: 50 }, defaultTimeoutMs: 60_000 });
    assert.deepEqual(await outcomesOf(freshTexts(40).map((text) => client.classify(text))), { OK: 40 });
  });

  it('makes streams wait, never refuses them, and leaves them their share of the queue', async () => {
    const client = served.client();
    const streams = Array.from({ length: 3 }, () => collect(client.classifyStream(freshTexts(12))));
    let done = false;
    const flood = (async () => {
      const outcomes: Outcomes = {};
      while (!done) {
        const ended = await outcomesOf(freshTexts(10).map((text) => client.classify(text)));
        for (const outcome of Object.keys(ended)) count(outcomes, outcome);
      }
      return outcomes;
    })();
    const results = (
      await Promise.all(streams).finally(() => {
        done = true;
      })
    ).flat();
    assert.equal(results.filter(({ ok }) => ok).length, 36);
    assert.deepEqual(Object.keys(await flood).sort(), ['OK', queueFull]);
  });

  it('leaves nothing behind', async () => {
    await served.untilQuiet();
    assert.deepEqual(await outcomesOf([served.client().classify(freshText())]), { OK: 1 });
    assert.equal(await served.server.metric('grpc_server_handled_total', { grpc_code: 'UNAVAILABLE' }), 0);
  });
});

describe('a deadline', () => {
  it('that a long queue cannot meet is refused at once; one that it can meet is not', async (t) => {
    const served = await ServedModels.start(t, ['slow'], {
      VERDICT_BATCH_MAX_ITEMS: '1',
      VERDICT_INSTANCES: '1',
    });
    const client = served.client();
    const leave = new AbortController();
    setMaxListeners(0, leave.signal);
    const session = served.pauseSession();
    const queued = outcomesOf(
      freshTexts(200).map((text) => client.classify(text, { signal: leave.signal, timeoutMs: 60_000 })),
    );
    await until('the queue is long', async () => {
      return (await served.server.metric('verdict_queue_items')) >= 190;
    });
    // 190 runs take longer, also on a fast machine.
    const error = await client.classify(freshText(), { timeoutMs: 3000 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof VerdictClientError);
    assert.equal(outcomeOf(error), 'RESOURCE_EXHAUSTED DEADLINE_UNREACHABLE');
    assert.ok((error.retryAfterMs ?? 0) > 0);
    assert.equal(await served.server.metric('verdict_shed_total', { reason: 'deadline' }), 1);

    // Those who leave make room: their inputs are not run.
    leave.abort();
    assert.deepEqual(await queued, { CANCELLED: 200 });
    process.kill(session, 'SIGCONT');
    await served.untilQuiet();
    assert.ok((await served.server.metric('verdict_shed_total', { reason: 'abandoned' })) >= 190);
    assert.deepEqual(await outcomesOf([client.classify(freshText(), { timeoutMs: 10_000 })]), { OK: 1 });
  });
});

describe('far more work than the server can hold', () => {
  it('is refused without the server growing', async (t) => {
    const served = await ServedModels.start(t, ['slow'], {
      VERDICT_MAX_QUEUE_ITEMS: '64',
      VERDICT_BATCH_MAX_ITEMS: '4',
    });
    const client = served.client();
    const leave = new AbortController();
    setMaxListeners(0, leave.signal);
    const { signal } = leave;
    const long = 'the coach of the team '.repeat(300);
    const unary = outcomesOf(
      Array.from({ length: 1500 }, () => client.classify(`${made++} ${long}`, { signal })),
    );
    const endless = function* () {
      for (;;) yield `${made++} ${long}`;
    };
    const streams = outcomesOf(
      Array.from({ length: 40 }, () => collect(client.classifyStream(endless(), { signal }))),
    );
    let refused = 0;
    await until('most is refused', async () => {
      const queued = await served.server.metric('verdict_queue_items');
      assert.ok(queued <= 64, `${queued} inputs are queued`);
      refused = await served.server.metric('grpc_server_handled_total', { grpc_code: 'RESOURCE_EXHAUSTED' });
      return refused > 1000;
    });
    // 40 windows of 64 texts of 6,600 characters are 17 million characters.
    const bytes = await served.server.metric('process_resident_memory_bytes');
    assert.ok(bytes < 500e6, `${bytes} bytes`);
    leave.abort();
    const ended = await unary;
    assert.equal(total(ended), 1500);
    assert.equal(ended.UNAVAILABLE, undefined);
    assert.deepEqual(await streams, { CANCELLED: 40 });
    await served.untilQuiet();
    assert.deepEqual(await outcomesOf([client.classify(freshText())]), { OK: 1 });
  });
});
