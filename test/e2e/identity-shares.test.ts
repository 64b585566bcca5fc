import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { ClassifierServiceClient } from '../../generated/verdict/v1/classifier_service.js';
import { TestKeyFile } from '../support/key-files.js';
import { textRequest } from '../support/requests.js';
import { startService } from '../support/started-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { unaryOutcome } from '../support/unary-outcome.js';
import { until } from '../support/until.js';

interface Caller {
  readonly id: string;
  readonly weight: number;
  /** Calls in flight on each of its connections. */
  readonly calls: number;
  readonly connections: number;
}

/**
 * Lets all callers queue up behind a session that is held, one input to a batch, and tells whose answers came in which order.
 */
async function orderOfAnswers(t: TestContext, callers: readonly Caller[]): Promise<string[]> {
  const file = new TestKeyFile(temporaryFolder(t));
  const keys = new Map(callers.map(({ id, weight }) => [id, file.add(id, { weight })]));
  const first = file.add('first');
  file.write();
  const service = await startService(t, {
    VERDICT_API_KEYS_FILE: file.path,
    VERDICT_BATCH_MAX_ITEMS: '1',
    VERDICT_MAX_QUEUE_ITEMS: '512',
  });
  const connect = () => {
    // Channels to one address share their connection unless they are told not to.
    const own = { 'grpc.use_local_subchannel_pool': 1 };
    const client = new ClassifierServiceClient(service.server.address, credentials.createInsecure(), own);
    t.after(() => client.close());
    return client.classify.bind(client);
  };
  let made = 0;
  const ask = (method: ReturnType<typeof connect>, key = '') =>
    unaryOutcome(method, textRequest(`text number ${made++}`), { 'x-api-key': key });
  const release = service.holdSession('topics');
  try {
    const held = ask(connect(), first);
    await service.untilRunning('topics');
    const calls = callers.flatMap(({ id, calls: count, connections }) =>
      Array.from({ length: connections }, connect).flatMap((method) =>
        Array.from({ length: count }, async () => {
          const { error } = await ask(method, keys.get(id));
          assert.equal(error, null);
        }),
      ),
    );
    await service.untilQueued('topics', calls.length);
    release();
    await Promise.all([held, ...calls]);
  } finally {
    release();
  }
  // The server's own order: here, answers on different connections arrive a little out of it.
  const answered = () =>
    service.server.log.filter(({ method, code }) => method === 'Classify' && code === 'OK');
  await until('all calls are logged', () => answered().length === made);
  return answered()
    .map(({ identity }) => String(identity).replace('key:', ''))
    .slice(1);
}

/** How many of the first answers were whose. */
const among = (order: readonly string[], first: number, id: string) =>
  order.slice(0, first).filter((caller) => caller === id).length;

const slack = 2;

describe('identities that ask for more than there is', () => {
  it('have equal shares, though one has 64 calls in flight on eight connections', async (t) => {
    const order = await orderOfAnswers(t, [
      { id: 'greedy', weight: 1, calls: 8, connections: 8 },
      { id: 'careful', weight: 1, calls: 16, connections: 1 },
    ]);
    assert.ok(among(order, 32, 'careful') >= 16 - slack, order.join(' '));
  });

  it('have shares by weight', async (t) => {
    const order = await orderOfAnswers(t, [
      { id: 'greedy', weight: 1, calls: 8, connections: 8 },
      { id: 'heavy', weight: 3, calls: 30, connections: 1 },
    ]);
    const got = among(order, 40, 'heavy');
    assert.ok(got >= 30 - slack, order.join(' '));
    // It has no more than its share either.
    assert.ok(among(order, 20, 'heavy') <= 15 + slack, order.join(' '));
  });
});
