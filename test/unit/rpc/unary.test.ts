import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import {
  Activation,
  CacheMode,
  CacheOutcome,
  Truncation,
} from '../../../generated/verdict/v1/classification.js';
import { ClassifyRequest, type ClassifyResponse } from '../../../generated/verdict/v1/classifier_service.js';
import type { InputRequest } from '../../../src/classify/types.js';
import { VerdictError } from '../../../src/errors.js';
import { textRequest } from '../../support/requests.js';
import { frame } from '../../support/wire-frames.js';
import { detailsOf } from './details.js';
import {
  answerTo,
  type Classify,
  Edge,
  type EdgeParts,
  HeldClassifier,
  type Outcome,
  timeout,
  unary,
} from './edge.js';
import { classifyPath, RawCall } from './raw-call.js';

/** One Classify call against a fresh server. */
async function classify(
  parts: EdgeParts,
  request: ClassifyRequest,
  metadata = new Metadata(),
): Promise<Outcome<ClassifyResponse> & { edge: Edge }> {
  let result: (Outcome<ClassifyResponse> & { edge: Edge }) | undefined;
  await Edge.run(parts, async (edge) => {
    const client = edge.classifier;
    result = { ...(await unary(client.classify.bind(client), request, metadata)), edge };
    await edge.handledCall();
  });
  assert.ok(result);
  return result;
}

const throwing = (error: unknown): EdgeParts => ({
  classify: () => {
    throw error;
  },
});

test('an answer at hand comes back with every field of the contract', { timeout }, async () => {
  const { error, response } = await classify({}, textRequest('hello'));
  assert.equal(error, null);
  const { logits, ...told } = answerTo(itemOf('hello'));
  assert.ok(logits.length > 0);
  assert.deepEqual(response?.classification, { ...told, cache: CacheOutcome.LRU });
});

test('an answer that comes later is delivered as well', { timeout }, async () => {
  const { response } = await classify(
    { classify: async (item) => answerTo(item, 'miss') },
    textRequest('hello'),
  );
  assert.equal(response?.classification?.cache, CacheOutcome.MISS);
});

test('the classifier gets the model, the input and the options of the request', { timeout }, async () => {
  const items: InputRequest[] = [];
  const request = textRequest('', {
    model: 'intent',
    version: '12',
    input: { $case: 'pair', value: { text: 'a', textPair: 'b' } },
    options: {
      topK: 0,
      minScore: 0.5,
      activation: Activation.SIGMOID,
      truncation: Truncation.REJECT,
      cache: CacheMode.REFRESH,
    },
  });
  const recording: Classify = (item) => {
    items.push(item);
    return answerTo(item);
  };
  await classify({ classify: recording }, request);
  assert.deepEqual(items, [
    {
      model: 'intent',
      version: '12',
      input: { text: 'a', textPair: 'b' },
      options: { topK: 0, minScore: 0.5, activation: 'sigmoid', truncation: 'reject', cache: 'refresh' },
      routingKey: undefined,
    },
  ]);
});

test('a request with several bad fields is told of all of them', { timeout }, async () => {
  const request = textRequest(' \u200b\u3000', {
    model: 'Not A Name',
    version: '01',
    options: {
      topK: undefined,
      minScore: Number.NaN,
      activation: 9 as Activation,
      truncation: 0,
      cache: 3 as CacheMode,
    },
  });
  const { error } = await classify({}, request);
  assert.equal(error?.code, status.INVALID_ARGUMENT);
  const { reason, domain, fields } = detailsOf(error);
  assert.equal(reason, 'INVALID_FIELD');
  assert.equal(domain, 'verdict.v1');
  assert.deepEqual(fields, [
    'model',
    'version',
    'text',
    'options.min_score',
    'options.activation',
    'options.cache',
  ]);
});

test('an error of the classifier keeps its code, message, retry delay and resource', {
  timeout,
}, async () => {
  const full = new VerdictError('resource_exhausted', 'the queue is full', {
    reason: 'X_FULL',
    retryAfterMs: 1250,
  });
  const busy = await classify(throwing(full), textRequest('x'));
  assert.equal(busy.error?.code, status.RESOURCE_EXHAUSTED);
  assert.equal(busy.error?.details, 'the queue is full');
  assert.equal(detailsOf(busy.error).retryMs, 1250);
  assert.deepEqual(busy.error.metadata.get('grpc-retry-pushback-ms'), ['1250']);
  assert.deepEqual(busy.error.metadata.get('retry-after'), []);

  const resource = { type: 'model', name: 'nope' };
  const missing = new VerdictError('not_found', 'no such model', { reason: 'X_MISSING', resource });
  const lost = await classify({ classify: () => Promise.reject(missing) }, textRequest('x'));
  assert.equal(lost.error?.code, status.NOT_FOUND);
  assert.deepEqual(detailsOf(lost.error).resource, resource);
});

for (const [how, thrown] of [
  ['an Error', new Error('secret')],
  ['a string', 'secret'],
  ['undefined', undefined],
] as const) {
  test(`a classifier that fails with ${how} is INTERNAL outside and complete in the log`, {
    timeout,
  }, async () => {
    for (const classifier of [throwing(thrown), { classify: () => Promise.reject(thrown) }]) {
      const { error, edge } = await classify(classifier, textRequest('x'));
      assert.equal(error?.code, status.INTERNAL);
      assert.equal(error.details, 'internal error');
      const [call] = edge.handled;
      assert.equal(detailsOf(error).requestId, call?.requestId);
      const cause = thrown === undefined ? call?.cause instanceof VerdictError : call?.cause === thrown;
      assert.ok(cause);
      assert.equal(call?.code, 'INTERNAL');
    }
  });
}

test('a plain request id is echoed with the answer and logged', { timeout }, async () => {
  const metadata = new Metadata();
  metadata.set('x-request-id', 'abc.DEF_1-2');
  const { headers, edge } = await classify({}, textRequest('x'), metadata);
  assert.deepEqual(headers?.get('x-request-id'), ['abc.DEF_1-2']);
  assert.equal(edge.handled[0]?.requestId, 'abc.DEF_1-2');
});

test('a request id that is too long or not plain is replaced', { timeout }, async () => {
  for (const id of ['a'.repeat(129), 'a b', 'a\u00e9', '']) {
    const metadata = new Metadata();
    if (!id.includes('\u00e9')) metadata.set('x-request-id', id);
    const { headers, edge } = await classify({}, textRequest('x'), metadata);
    assert.match(String(headers?.get('x-request-id')[0]), /^[0-9a-f-]{36}$/);
    assert.equal(edge.handled[0]?.requestId, headers?.get('x-request-id')[0]);
  }
});

test('a failed call carries its request id in the trailers', { timeout }, async () => {
  const metadata = new Metadata();
  metadata.set('x-request-id', 'r1');
  const { error } = await classify({}, textRequest(''), metadata);
  assert.deepEqual(error?.metadata.get('x-request-id'), ['r1']);
});

test('the hooks see one start and one end, with counts and the peer', { timeout }, async () => {
  const { edge } = await classify({}, textRequest('x'));
  assert.deepEqual(edge.started, ['Classify']);
  assert.equal(edge.handled.length, 1);
  const [call] = edge.handled;
  assert.ok(call);
  assert.equal(call.service, 'verdict.v1.ClassifierService');
  assert.equal(call.method, 'Classify');
  assert.equal(call.code, 'OK');
  assert.equal(call.received, 1);
  assert.equal(call.sent, 1);
  assert.match(call.peer, /^127\.0\.0\.1:\d+$/);
  assert.equal(call.cause, undefined);
});

test('without a deadline of its own a call ends by the default one, and its work is told', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  const { error, edge } = await classify(
    { classify: held.classify, options: { defaultDeadlineMs: 40 } },
    textRequest('slow'),
  );
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
  assert.equal(detailsOf(error).reason, 'DEADLINE_EXCEEDED');
  assert.equal(edge.handled[0]?.code, 'DEADLINE_EXCEEDED');
  const { signal } = held.callers.get('slow') ?? {};
  assert.equal(signal?.aborted, true);
});

test("Envoy's timeout stands in for a deadline; nonsense in it is ignored", { timeout }, async () => {
  const metadata = new Metadata();
  metadata.set('x-envoy-expected-rq-timeout-ms', '30');
  const { error } = await classify({ classify: () => new Promise(() => {}) }, textRequest('slow'), metadata);
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);

  for (const value of ['-1', '0', 'soon', '1e999']) {
    metadata.set('x-envoy-expected-rq-timeout-ms', value);
    const fine = await classify({ classify: async (item) => answerTo(item) }, textRequest('x'), metadata);
    assert.equal(fine.error, null);
  }
});

test("Envoy's timeout lengthens no deadline: how long a route waits is no caller's wish", {
  timeout,
}, async () => {
  const metadata = new Metadata();
  metadata.set('x-envoy-expected-rq-timeout-ms', '60000');
  const slow = { classify: () => new Promise<never>(() => {}), options: { defaultDeadlineMs: 30 } };
  const { error } = await classify(slow, textRequest('slow'), metadata);
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
});

test("a caller behind Envoy's transcoder is told the retry delay in whole seconds, rounded up", {
  timeout,
}, async () => {
  const metadata = new Metadata();
  metadata.set('x-envoy-original-path', '/v1:classify');
  for (const [retryAfterMs, seconds] of [
    [0, '1'],
    [1000, '1'],
    [1250, '2'],
  ] as const) {
    const full = new VerdictError('resource_exhausted', 'full', { reason: 'X_FULL', retryAfterMs });
    const { error } = await classify(throwing(full), textRequest('x'), metadata);
    assert.deepEqual(error?.metadata.get('retry-after'), [seconds]);
    assert.deepEqual(error?.metadata.get('grpc-retry-pushback-ms'), []);
    assert.equal(detailsOf(error).retryMs, retryAfterMs);
  }
});

test("the caller's deadline ends the call and aborts the signal", { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    // A client of grpc-js resets the call at its deadline, which is a CANCELLED where it comes too early.
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, classifyPath, { 'grpc-timeout': '100m' });
      call.stream.end(frame(ClassifyRequest.encode(textRequest('slow')).finish()));
      await held.arrived('slow');
      const caller = held.callers.get('slow');
      assert.ok(caller);
      assert.equal(caller.whenFull, 'refuse');
      assert.ok(caller.deadlineAt - performance.now() <= 100);
      const { signal } = caller;
      const { fields } = await call.headers;
      assert.equal(fields['grpc-status'], String(status.DEADLINE_EXCEEDED));
      assert.equal((await edge.handledCall()).code, 'DEADLINE_EXCEEDED');
      assert.equal(signal.aborted, true);
    });
  });
});

test('a caller that leaves aborts the signal and is counted as CANCELLED', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const call = edge.classifier.classify(textRequest('slow'), () => {});
    await held.arrived('slow');
    const { signal } = held.callers.get('slow') ?? {};
    assert.equal(signal?.aborted, false);
    call.cancel();
    assert.equal((await edge.handledCall()).code, 'CANCELLED');
    assert.equal(signal?.aborted, true);
    held.answer('slow');
  });
});

test('a signal asked for only after the call has ended is aborted already', { timeout }, async () => {
  const held = new HeldClassifier();
  await classify({ classify: held.classify, options: { defaultDeadlineMs: 20 } }, textRequest('slow'));
  assert.equal(held.callers.get('slow')?.signal.aborted, true);
});

function itemOf(text: string): InputRequest {
  const options = {
    topK: 1,
    minScore: undefined,
    activation: undefined,
    truncation: undefined,
    cache: 'use',
  } as const;
  return { model: '', version: '', input: { text }, options };
}
