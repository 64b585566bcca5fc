import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { CacheOutcome } from '../../../generated/verdict/v1/classification.js';
import {
  ClassifyStreamRequest,
  type ClassifyStreamResponse,
  StreamOrder,
  type StreamSettings,
} from '../../../generated/verdict/v1/classifier_service.js';
import type { InputRequest } from '../../../src/classify/types.js';
import { VerdictError } from '../../../src/errors.js';
import { streamRequest } from '../../support/requests.js';
import { StreamCall, short } from '../../support/stream-call.js';
import { decodeStatus, detailsOf } from './details.js';
import { answerTo, type Classify, Edge, HeldClassifier, timeout } from './edge.js';

const atOnce: Classify = (item) => answerTo(item);
/** Answers `slow...` when told to, everything else at once. */
const mixed = (held: HeldClassifier): Classify => {
  return (item, caller) =>
    item.input.text.startsWith('slow') ? held.classify(item, caller) : answerTo(item);
};

function settings(rest: Partial<StreamSettings>): ClassifyStreamRequest {
  const value = { order: 0, sendEnd: false, defaultModel: '', defaultOptions: undefined, ...rest } as const;
  return ClassifyStreamRequest.fromPartial({ settings: value });
}

test('every request is answered in order, with its id and its index', { timeout }, async () => {
  await Edge.run({ classify: atOnce }, async (edge) => {
    const stream = new StreamCall(edge.classifier);
    stream.send(streamRequest('a', { id: 'x' }), streamRequest('b'), streamRequest('c', { id: 'x' })).end();
    assert.deepEqual((await stream.rest()).map(short), ['0:x=a', '1:=b', '2:x=c']);
    assert.equal((await stream.status).code, status.OK);
    assert.deepEqual(edge.streams, [1, 0]);
    const call = await edge.handledCall();
    assert.deepEqual([call.method, call.received, call.sent], ['ClassifyStream', 3, 3]);
  });
});

test('far more requests than the window holds pass through', { timeout }, async () => {
  const classify: Classify = (item) =>
    Number(item.input.text) % 3 === 0 ? answerTo(item) : Promise.resolve(answerTo(item));
  await Edge.run({ classify }, async (edge) => {
    const stream = new StreamCall(edge.classifier);
    const texts = Array.from({ length: 500 }, (_, n) => String(n));
    stream.send(...texts.map((text) => streamRequest(text))).end();
    assert.deepEqual(
      (await stream.rest()).map(short),
      texts.map((text) => `${text}:=${text}`),
    );
  });
});

test('in request order a slow request holds back the answers behind it', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: mixed(held) }, async (edge) => {
    const stream = new StreamCall(edge.classifier).send(
      streamRequest('slow'),
      streamRequest('b'),
      streamRequest('slow2'),
    );
    await held.arrived('slow2');
    held.answer('slow2');
    held.answer('slow');
    stream.end();
    assert.deepEqual((await stream.rest()).map(short), ['0:=slow', '1:=b', '2:=slow2']);
  });
});

test('in completion order each answer comes when it is there', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: mixed(held) }, async (edge) => {
    const stream = new StreamCall(edge.classifier);
    stream.send(settings({ order: StreamOrder.COMPLETION }), streamRequest('slow'), streamRequest('b'));
    stream.send(streamRequest('slow2'));
    assert.equal(short(await stream.next()), '1:=b');
    await held.arrived('slow2');
    held.answer('slow2');
    assert.equal(short(await stream.next()), '2:=slow2');
    held.answer('slow');
    stream.end();
    assert.deepEqual((await stream.rest()).map(short), ['0:=slow']);
    assert.equal((await stream.status).code, status.OK);
  });
});

test('bad requests in the middle fail alone, each with its own details', { timeout }, async () => {
  const classify: Classify = (item) => {
    if (item.input.text === 'poison') throw new Error('secret');
    if (item.input.text === 'full')
      throw new VerdictError('resource_exhausted', 'full', { reason: 'X_FULL' });
    return answerTo(item);
  };
  await Edge.run({ classify }, async (edge) => {
    const stream = new StreamCall(edge.classifier);
    stream.send(
      streamRequest('a'),
      streamRequest(' ', { id: 'blank' }),
      streamRequest('poison'),
      streamRequest('full'),
      streamRequest('x', { id: 'i'.repeat(129), model: 'UPPER' }),
      ClassifyStreamRequest.fromPartial({ id: 'nothing' }),
      streamRequest('z'),
    );
    const responses = await stream.end().rest();
    assert.deepEqual(responses.map(short), [
      '0:=a',
      '1:blank!INVALID_FIELD',
      '2:!INTERNAL',
      '3:!X_FULL',
      '4:!INVALID_FIELD',
      '5:nothing!INVALID_FIELD',
      '6:=z',
    ]);
    const fields = responses.map((response) => fieldsOf(response));
    assert.deepEqual([fields[1], fields[4], fields[5]], [['text'], ['id', 'model'], ['input']]);
    assert.equal((await stream.status).code, status.OK);
    assert.equal(edge.itemFailures.length, 1);
  });
});

test('settings may come alone or with the first request, and give what requests leave out', {
  timeout,
}, async () => {
  const items: InputRequest[] = [];
  const classify: Classify = (item) => {
    items.push(item);
    return answerTo(item);
  };
  const options = { topK: 3, minScore: undefined, activation: 0, truncation: 0, cache: 1 } as const;
  const { settings: both } = settings({ defaultModel: 'intent', defaultOptions: options });
  for (const first of [
    [settings(both ?? {}), streamRequest('a')],
    [{ ...streamRequest('a'), settings: both }],
  ]) {
    items.length = 0;
    await Edge.run({ classify }, async (edge) => {
      const own = streamRequest('b', { model: 'other', options: { ...options, topK: 9 } });
      const responses = await new StreamCall(edge.classifier)
        .send(...first, own)
        .end()
        .rest();
      assert.deepEqual(responses.map(short), ['0:=a', '1:=b']);
    });
    assert.deepEqual(
      items.map(({ model, options: { topK, cache } }) => [model, topK, cache]),
      [
        ['intent', 3, 'bypass'],
        ['other', 9, 'bypass'],
      ],
    );
  }
});

test('bad settings refuse the stream and name every bad field', { timeout }, async () => {
  await Edge.run({ classify: atOnce }, async (edge) => {
    const options = { topK: 0, minScore: Number.NaN, activation: 0, truncation: 0, cache: 0 } as const;
    const bad = settings({
      order: 7 as StreamOrder,
      sendEnd: true,
      defaultModel: 'A',
      defaultOptions: options,
    });
    const stream = new StreamCall(edge.classifier).send(bad);
    assert.deepEqual(await stream.rest(), []);
    const ended = await stream.status;
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    const expected = ['settings.order', 'settings.default_model', 'settings.default_options.min_score'];
    assert.deepEqual(detailsOf(Object.assign(new Error(), ended)).fields, expected);
  });
});

test('settings after the first message end the stream once what it holds is answered', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: mixed(held) }, async (edge) => {
    const stream = new StreamCall(edge.classifier).send(
      settings({ sendEnd: true }),
      streamRequest('slow'),
      settings({}),
    );
    await held.arrived('slow');
    stream.send(streamRequest('never read'));
    held.answer('slow');
    assert.deepEqual((await stream.rest()).map(short), ['0:=slow', '1:end']);
    const ended = await stream.status;
    assert.equal(ended.code, status.INVALID_ARGUMENT);
    assert.equal(detailsOf(Object.assign(new Error(), ended)).reason, 'LATE_SETTINGS');
  });
});

test('the end message counts answers by outcome and by cache', { timeout }, async () => {
  const classify: Classify = (item) => answerTo(item, item.input.text === 'm' ? 'miss' : 'redis');
  await Edge.run({ classify }, async (edge) => {
    const stream = new StreamCall(edge.classifier).send(settings({ sendEnd: true }));
    stream.send(streamRequest('m'), streamRequest('r'), streamRequest(''), streamRequest('r')).end();
    const end = (await stream.rest()).at(-1);
    assert.deepEqual(end, {
      id: '',
      index: 4,
      outcome: {
        $case: 'end',
        value: {
          classifiedCount: 3,
          failedCount: 1,
          cacheCounts: [
            { outcome: CacheOutcome.MISS, count: 1 },
            { outcome: CacheOutcome.REDIS, count: 2 },
          ],
          status: { code: 0, message: '', details: [] },
        },
      },
    });
  });
});

test("a caller behind Envoy's transcoder gets an end message unasked", { timeout }, async () => {
  await Edge.run({ classify: atOnce }, async (edge) => {
    const metadata = new Metadata();
    metadata.set('x-envoy-original-path', '/v1:classifyStream');
    const responses = await new StreamCall(edge.classifier, metadata).send(streamRequest('a')).end().rest();
    assert.deepEqual(responses.map(short), ['0:=a', '1:end']);
    assert.deepEqual((await new StreamCall(edge.classifier, metadata).end().rest()).map(short), ['0:end']);
  });
});

test('an empty stream ends with OK', { timeout }, async () => {
  await Edge.run({ classify: atOnce }, async (edge) => {
    const stream = new StreamCall(edge.classifier).end();
    assert.deepEqual(await stream.rest(), []);
    assert.equal((await stream.status).code, status.OK);
  });
});

test('no more than the window is asked of the classifier at a time', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const texts = Array.from({ length: 9 }, (_, n) => `t${n}`);
    const stream = new StreamCall(edge.classifier).send(...texts.map((text) => streamRequest(text))).end();
    await held.arrived('t3');
    assert.equal(held.callers.has('t4'), false);
    held.answer('t1');
    held.answer('t0');
    await held.arrived('t5');
    assert.equal(held.callers.has('t6'), false);
    for (const text of texts) {
      await held.arrived(text);
      held.answer(text);
    }
    assert.equal((await stream.rest()).length, 9);
  });
});

test('each request has the default deadline, waits for room, and shares the signal of the call', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify, options: { defaultDeadlineMs: 3_000 } }, async (edge) => {
    const stream = new StreamCall(edge.classifier).send(streamRequest('a'), streamRequest('b'));
    await held.arrived('b');
    const [a, b] = ['a', 'b'].map((text) => held.callers.get(text));
    assert.ok(a && b);
    assert.equal(a.whenFull, 'wait');
    assert.equal(a.signal, b.signal);
    assert.ok(a.deadlineAt <= b.deadlineAt && b.deadlineAt <= performance.now() + 3_000);
    stream.call.cancel();
    assert.equal((await edge.handledCall()).code, 'CANCELLED');
    assert.equal(a.signal.aborted, true);
    assert.deepEqual(edge.streams, [1, 0]);
    held.answer('a');
  });
});

test('a request that the classifier forgets gets its own DEADLINE_EXCEEDED, the others their answers', {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  for (const order of [StreamOrder.REQUEST, StreamOrder.COMPLETION]) {
    await Edge.run({ classify: mixed(held), options: { defaultDeadlineMs: 60 } }, async (edge) => {
      const stream = new StreamCall(edge.classifier).send(settings({ order }));
      stream.send(streamRequest('slow'), streamRequest('slow2'), streamRequest('c')).end();
      const responses = (await stream.rest()).map(short).sort();
      assert.deepEqual(responses, ['0:!DEADLINE_EXCEEDED', '1:!DEADLINE_EXCEEDED', '2:=c']);
      assert.equal((await stream.status).code, status.OK);
      held.answer('slow');
    });
  }
});

test("the call's own deadline bounds its requests and ends it, with an end message where asked for", {
  timeout,
}, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: mixed(held) }, async (edge) => {
    const metadata = new Metadata();
    metadata.set('x-envoy-expected-rq-timeout-ms', '500');
    const stream = new StreamCall(edge.classifier, metadata);
    stream.send(settings({ sendEnd: true }), streamRequest('a'), streamRequest('slow'));
    await held.arrived('slow');
    const { deadlineAt, signal } = held.callers.get('slow') ?? {};
    assert.ok(deadlineAt !== undefined && deadlineAt <= performance.now() + 500);
    const responses = await stream.rest();
    assert.deepEqual(responses.map(short), ['0:=a', '1:end']);
    const end = responses[1]?.outcome;
    assert.ok(end?.$case === 'end');
    assert.equal(end.value.status?.code, status.DEADLINE_EXCEEDED);
    assert.equal((await stream.status).code, status.DEADLINE_EXCEEDED);
    assert.equal(signal?.aborted, true);
  });
});

test('an idle stream has no deadline of its own', { timeout }, async () => {
  await Edge.run({ classify: atOnce, options: { defaultDeadlineMs: 20 } }, async (edge) => {
    const stream = new StreamCall(edge.classifier).send(streamRequest('a'));
    await stream.next();
    await new Promise((resolve) => setTimeout(resolve, 60));
    stream.send(streamRequest('b')).end();
    assert.deepEqual((await stream.rest()).map(short), ['1:=b']);
  });
});

function fieldsOf({ outcome }: ClassifyStreamResponse): string[] {
  return outcome?.$case === 'error' ? decodeStatus(outcome.value).fields : [];
}
