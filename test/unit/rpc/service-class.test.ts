import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { Claim } from '../../../src/claim.js';
import { batchRequest, streamRequest, textRequest } from '../../support/requests.js';
import { StreamCall } from '../../support/stream-call.js';
import { detailsOf } from './details.js';
import { answerTo, Edge, timeout, unary } from './edge.js';

function metadataOf(serviceClass?: string): Metadata {
  const metadata = new Metadata();
  if (serviceClass !== undefined) metadata.set('verdict-class', serviceClass);
  return metadata;
}

/** Makes one call of each kind, two unary ones, and returns who asked, in that order. */
async function callers(serviceClass?: string): Promise<Claim[]> {
  const seen: Claim[] = [];
  const classify = (item: Parameters<typeof answerTo>[0], caller: Claim) => {
    seen.push(caller);
    return answerTo(item);
  };
  await Edge.run({ classify }, async (edge) => {
    const { classifier } = edge;
    const metadata = metadataOf(serviceClass);
    await unary(classifier.classify.bind(classifier), textRequest('a'), metadata);
    await unary(classifier.classify.bind(classifier), textRequest('b'), metadata);
    await unary(classifier.batchClassify.bind(classifier), batchRequest(['c', 'd']), metadata);
    await new StreamCall(edge.classifier, metadata).send(streamRequest('e'), streamRequest('f')).end().rest();
  });
  return seen;
}

test('unary calls are interactive, batches and streams are bulk', { timeout }, async () => {
  assert.deepEqual(
    (await callers()).map((caller) => caller.serviceClass),
    ['interactive', 'interactive', 'bulk', 'bulk', 'bulk', 'bulk'],
  );
});

test('a call of any kind may ask for either class', { timeout }, async () => {
  for (const asked of ['interactive', 'bulk'] as const) {
    const classes = (await callers(asked)).map((caller) => caller.serviceClass);
    assert.deepEqual(classes, new Array(6).fill(asked));
  }
});

test('all that comes over a connection is one flow, and another connection is another', {
  timeout,
}, async () => {
  const flows = (await callers()).map((caller) => caller.flow);
  assert.equal(flows.length, 6);
  assert.equal(new Set(flows).size, 1);
  const [other] = (await callers()).map((caller) => caller.flow);
  assert.ok(other !== undefined && !flows.includes(other));
});

test('behind a trusted proxy, those it speaks for are flows of their own', { timeout }, async () => {
  const seen: (object | undefined)[] = [];
  const classify = (item: Parameters<typeof answerTo>[0], { flow }: Claim) => {
    seen.push(flow);
    return answerTo(item);
  };
  const flowsOf = async (trustedProxies: readonly string[]) => {
    seen.length = 0;
    await Edge.run({ classify, options: { connection: { trustedProxies } } }, async ({ classifier }) => {
      for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) {
        const metadata = new Metadata();
        metadata.set('x-forwarded-for', address);
        await unary(classifier.classify.bind(classifier), textRequest('a'), metadata);
      }
    });
    return [...seen];
  };
  const [one, two, again] = await flowsOf(['127.0.0.0/8']);
  assert.ok(one !== undefined && one !== two);
  assert.equal(one, again);
  // Who is not trusted may say what it likes.
  assert.equal(new Set(await flowsOf([])).size, 1);
});

test('any other class is refused, naming the metadata, with all kinds of calls', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    const { classifier } = edge;
    for (const wrong of ['', 'Bulk', 'urgent']) {
      const metadata = metadataOf(wrong);
      const { error } = await unary(classifier.classify.bind(classifier), textRequest('x'), metadata);
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).fields, ['verdict-class']);
      assert.match(error.details, /interactive or bulk/);
      assert.doesNotMatch(error.details, /urgent|Bulk/);
      const batch = await unary(classifier.batchClassify.bind(classifier), batchRequest(['x']), metadata);
      assert.deepEqual(detailsOf(batch.error).fields, ['verdict-class']);
      const stream = new StreamCall(edge.classifier, metadata).send(streamRequest('x'));
      assert.deepEqual(await stream.rest(), []);
      assert.equal((await stream.status).code, status.INVALID_ARGUMENT);
    }
    // A stream that is refused was never in flight.
    assert.deepEqual(edge.streams, []);
  });
});
