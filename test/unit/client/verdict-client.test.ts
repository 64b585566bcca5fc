import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Metadata, status } from '@grpc/grpc-js';
import { VerdictClient, VerdictClientError } from '../../../clients/typescript/src/index.js';
import { CacheOutcome } from '../../../generated/verdict/v1/classification.js';
import { closeAtEnd, connect } from './connect.js';
import { classification, grpcError, richStatus } from './test-server.js';

test('A text goes out with its options, and the answer comes back in plain types', async () => {
  let request: unknown;
  const client = await connect({
    classify: (call) => {
      request = call.request;
      return { classification: classification({ cache: CacheOutcome.COALESCED }) };
    },
  });
  const answer = await client.classify(
    { text: 'a', textPair: 'b' },
    {
      model: 'nli',
      version: '2',
      topK: 0,
      minScore: 0.5,
      activation: 'sigmoid',
      truncation: 'start',
      cache: 'refresh',
    },
  );
  assert.deepEqual(request, {
    model: 'nli',
    version: '2',
    input: { $case: 'pair', value: { text: 'a', textPair: 'b' } },
    options: { topK: 0, minScore: 0.5, activation: 2, truncation: 2, cache: 2 },
  });
  assert.equal(answer.label, 'POSITIVE');
  assert.equal(answer.score, 0.75);
  assert.equal(answer.cache, 'coalesced');
  assert.deepEqual(answer.timings, { tokenizeMs: 1, queueMs: 2, inferenceMs: 3, totalMs: 6, batchSize: 4 });
});

test('A bare string is a text, and no options send no options', async () => {
  let request: unknown;
  const client = await connect({
    classify: (call) => {
      request = call.request;
      return { classification: classification({ predictions: [] }) };
    },
  });
  const answer = await client.classify('hello');
  assert.deepEqual(request, {
    model: '',
    version: '',
    input: { $case: 'text', value: 'hello' },
    options: undefined,
  });
  assert.equal(answer.label, undefined);
  assert.equal(answer.score, undefined);
});

test('A cache outcome that this client does not know is told as unknown', async () => {
  const client = await connect({
    classify: () => ({ classification: classification({ cache: 99 as CacheOutcome }) }),
  });
  assert.equal((await client.classify('x')).cache, 'unknown');
});

test('A batch gives one result per input, in order, its errors with their details', async () => {
  const client = await connect({
    batchClassify: () => ({
      results: [
        { outcome: { $case: 'classification', value: classification() } },
        {
          outcome: {
            $case: 'error',
            value: richStatus(status.RESOURCE_EXHAUSTED, 'full', {
              reason: 'QUEUE_FULL',
              retryAfterMs: 1250.5,
            }),
          },
        },
      ],
    }),
  });
  const [first, second] = await client.classifyBatch(['a', { text: 'b' }]);
  assert.equal(first?.ok && first.classification.label, 'POSITIVE');
  assert.ok(second !== undefined && !second.ok);
  assert.equal(second.error.code, 'RESOURCE_EXHAUSTED');
  assert.equal(second.error.reason, 'QUEUE_FULL');
  assert.equal(second.error.retryAfterMs, 1250.5);
});

test('A batch answered with the wrong number of results is an error, not a guess', async () => {
  const client = await connect({ batchClassify: () => ({ results: [] }) });
  await assert.rejects(client.classifyBatch(['a']), { code: 'INTERNAL', reason: 'INCOMPLETE_RESPONSE' });
});

test('A refused call is tried again after the delay that the server asked for', async () => {
  let calls = 0;
  const client = await connect(
    {
      classify: () =>
        ++calls < 3
          ? grpcError(status.RESOURCE_EXHAUSTED, 'full', { reason: 'QUEUE_FULL', retryAfterMs: 5 })
          : { classification: classification() },
    },
    { retry: { initialBackoffMs: 1 } },
  );
  assert.equal((await client.classify('x')).label, 'POSITIVE');
  assert.equal(calls, 3);
});

test('Without retries the first failure is thrown, with everything that the server said', async () => {
  let calls = 0;
  const client = await connect(
    {
      classify: () => {
        calls++;
        return grpcError(status.RESOURCE_EXHAUSTED, 'The queue is full', {
          reason: 'QUEUE_FULL',
          retryAfterMs: 20,
        });
      },
    },
    { retry: false },
  );
  await assert.rejects(client.classify('x', { requestId: 'abc-1' }), (error) => {
    assert.ok(error instanceof VerdictClientError);
    assert.equal(error.code, 'RESOURCE_EXHAUSTED');
    assert.equal(error.message, 'The queue is full');
    assert.equal(error.reason, 'QUEUE_FULL');
    assert.equal(error.retryAfterMs, 20);
    assert.equal(error.requestId, 'abc-1');
    return true;
  });
  assert.equal(calls, 1);
});

test('Headers and the request id reach the server', async () => {
  const seen: unknown[] = [];
  let asked = 0;
  const client = await connect(
    {
      classify: (call) => {
        seen.push([call.metadata.get('authorization')[0], call.metadata.get('x-request-id')[0]]);
        return { classification: classification() };
      },
    },
    { metadata: () => ({ authorization: `Bearer ${++asked}` }) },
  );
  await client.classify('x', { requestId: 'id-1' });
  await client.classify('x');
  assert.deepEqual(seen, [
    ['Bearer 1', 'id-1'],
    ['Bearer 2', undefined],
  ]);
});

test('An API key reaches the server, asked for anew if it is a function, and is never quoted', async () => {
  const seen: unknown[] = [];
  const server = {
    classify: (call: { readonly metadata: Metadata }) => {
      seen.push(call.metadata.get('authorization')[0], call.metadata.get('x-team')[0]);
      return { classification: classification() };
    },
  };
  const metadata = { authorization: 'Bearer old', 'x-team': 'search' };
  await (await connect(server, { metadata, apiKey: 'vk_a_1' })).classify('x');
  let asked = 0;
  const client = await connect(server, { apiKey: () => `vk_a_${++asked}` });
  await client.classify('x');
  await client.classify('x');
  assert.deepEqual(seen, [
    ...['Bearer vk_a_1', 'search'],
    ...['Bearer vk_a_1', undefined],
    ...['Bearer vk_a_2', undefined],
  ]);
  for (const apiKey of ['', 'vk a', 'vk_\u00e4', 'vk_a\n']) {
    assert.throws(() => new VerdictClient({ apiKey }), {
      code: 'INVALID_ARGUMENT',
      message: 'apiKey must be printable ASCII without spaces',
    });
  }
});

test('A call that takes too long ends with DEADLINE_EXCEEDED', async () => {
  const client = await connect({ classify: () => undefined });
  await assert.rejects(client.classify('x', { timeoutMs: 30 }), { code: 'DEADLINE_EXCEEDED' });
});

test('An abort ends the call with CANCELLED and tells the server', async () => {
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  let serverSawIt: Promise<unknown> | undefined;
  const client = await connect({
    classify: (call) => {
      serverSawIt = once(call, 'cancelled');
      controller.abort(reason);
      return undefined;
    },
  });
  await assert.rejects(client.classify('x', { signal: controller.signal }), {
    code: 'CANCELLED',
    cause: reason,
  });
  await serverSawIt;
});

test('A signal that has aborted sends nothing', async () => {
  let calls = 0;
  const client = await connect({
    classify: () => {
      calls++;
      return { classification: classification() };
    },
  });
  await assert.rejects(client.classify('x', { signal: AbortSignal.abort() }), { code: 'CANCELLED' });
  await client.classify('x');
  assert.equal(calls, 1);
});

test('A server that is not there is UNAVAILABLE', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  assert.ok(address !== null && typeof address === 'object');
  probe.close();
  const client = closeAtEnd(new VerdictClient({ address: `127.0.0.1:${address.port}`, retry: false }));
  await assert.rejects(client.classify('x'), { code: 'UNAVAILABLE', reason: '' });
});

test('Wrong arguments of untyped callers are named before anything is sent', async () => {
  const client = await connect({});
  const untyped = client as unknown as { classify(input: unknown, options?: unknown): Promise<unknown> };
  for (const [input, options, named] of [
    [{}, {}, /text must be a string/],
    [{ text: 'a', textPair: 1 }, {}, /textPair must be a string/],
    ['a', { topK: -1 }, /topK/],
    ['a', { activation: 'relu' }, /activation must be one of softmax, sigmoid, none/],
    ['a', { cache: 'toString' }, /cache must be one of/],
    ['a', { timeoutMs: 2 ** 31 }, /timeoutMs/],
  ] as const) {
    await assert.rejects(untyped.classify(input, options), { code: 'INVALID_ARGUMENT', message: named });
  }
  assert.throws(() => new VerdictClient({ metadata: { 'a b': 'c' } }), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => new VerdictClient({ tls: { cert: 'x' } }), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => client.classifyStream(['a'], { window: 0 }), { code: 'INVALID_ARGUMENT' });
});

test('Health is told in words, an unknown service included', async () => {
  const client = await connect({
    health: (service) => (service === '' ? 'serving' : service === 'models/a' ? 'not_serving' : 'not_found'),
  });
  assert.equal(await client.health(), 'serving');
  assert.equal(await client.health('models/a'), 'not_serving');
  assert.equal(await client.health('models/b'), 'service_unknown');
});

test('Waiting for readiness asks until the server is serving', async () => {
  let asked = 0;
  const client = await connect({ health: () => (++asked < 3 ? 'not_serving' : 'serving') });
  await client.waitForReady({ timeoutMs: 10_000 });
  assert.equal(asked, 3);
});

test('Waiting for readiness gives up at its deadline and says what it saw', async () => {
  const client = await connect({ health: () => 'not_serving' });
  // Long enough for one answer on a busy machine.
  await assert.rejects(client.waitForReady({ timeoutMs: 1_500 }), {
    code: 'DEADLINE_EXCEEDED',
    message: /not_serving/,
  });
});

test('Models come with words for their states, and zeros where the server said nothing', async () => {
  const client = await connect({
    listModels: () => ({
      models: [
        {
          name: 'sentiment',
          isDefault: true,
          servingVersion: '1',
          versions: [
            {
              version: '1',
              state: 2,
              stateReason: '',
              labels: ['NEGATIVE', 'POSITIVE'],
              problemType: 1,
              limits: undefined,
              precision: 'int8',
              device: 'cpu',
              digest: 'sha256:00',
              defaultTruncation: 1,
              readyInstances: 1,
              instances: 1,
              cost: undefined,
              batching: 1,
              appliedActivation: 0,
              memoryBytes: 123_456_789n,
            },
          ],
          shadow: undefined,
          rollback: undefined,
          traffic: [],
          aliases: [],
          isPinned: true,
        },
      ],
    }),
  });
  const [model] = await client.listModels();
  const version = model?.versions[0];
  assert.equal(version?.state, 'serving');
  assert.equal(version?.problemType, 'single_label_classification');
  assert.equal(version?.defaultTruncation, 'end');
  assert.equal(version?.limits.maxTokens, 0);
  assert.equal(version?.memoryBytes, 123_456_789);
  await assert.rejects(client.getModel('absent'), { code: 'NOT_FOUND' });
});

test('A closed client rejects, in a stream too', async () => {
  const client = await connect({});
  client.close();
  await assert.rejects(client.classify('x'), { code: 'CANCELLED', reason: 'CLIENT_CLOSED' });
  await assert.rejects(client.classifyStream(['x']).next(), { code: 'CANCELLED', reason: 'CLIENT_CLOSED' });
});
