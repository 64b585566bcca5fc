import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { Claim } from '../../../src/claim.js';
import { StreamCall } from '../../support/stream-call.js';
import { detailsOf } from './details.js';
import { answerTo, batchRequest, Edge, streamRequest, textRequest, timeout, unary } from './edge.js';

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

test('a batch is a flow, a stream is a flow, unary calls are of none', { timeout }, async () => {
  const [a, b, c, d, e, f] = (await callers()).map((caller) => caller.flow);
  assert.deepEqual([a, b], [undefined, undefined]);
  assert.ok(c !== undefined && e !== undefined && c !== e);
  assert.equal(c, d);
  assert.equal(e, f);
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
