import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { InputRequest } from '../../../src/classify/types.js';
import { batchRequest, settingsMessage, streamRequest, textRequest } from '../../support/requests.js';
import { StreamCall } from '../../support/stream-call.js';
import { detailsOf } from './details.js';
import { answerTo, Edge, timeout, unary } from './edge.js';

function metadataOf(routingKey?: string): Metadata {
  const metadata = new Metadata();
  if (routingKey !== undefined) metadata.set('verdict-routing-key', routingKey);
  return metadata;
}

/** Makes a call of each kind, and returns by which keys their inputs are kept together. */
async function keysOf(routingKey?: string): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  const classify = (item: InputRequest) => {
    seen.push(item.routingKey);
    return answerTo(item);
  };
  await Edge.run({ classify }, async ({ classifier }) => {
    const metadata = metadataOf(routingKey);
    await unary(classifier.classify.bind(classifier), textRequest('a'), metadata);
    await unary(classifier.batchClassify.bind(classifier), batchRequest(['b', 'c']), metadata);
    const stream = new StreamCall(classifier, metadata);
    await stream
      .send(settingsMessage({ defaultModel: 'm' }), streamRequest('d'), streamRequest('e'))
      .end()
      .rest();
  });
  return seen;
}

test('the key of a call is the key of all its inputs', { timeout }, async () => {
  assert.deepEqual(await keysOf('user-7'), new Array(5).fill('user-7'));
  assert.deepEqual(await keysOf(), new Array(5).fill(undefined));
});

test('a key that is too long, or could be another one in disguise, is refused and not quoted', {
  timeout,
}, async () => {
  await Edge.run({}, async ({ classifier }) => {
    const ask = (key: string) =>
      unary(classifier.classify.bind(classifier), textRequest('a'), metadataOf(key));
    for (const key of ['k', 'k'.repeat(128), 'a.user+tag@example.org', 'Zm9v/YmFy==', 'A~1_:-'])
      assert.equal((await ask(key)).error, null, key);
    for (const key of ['k'.repeat(129), 'k'.repeat(2_000), 'two words', 'a?', '{a}']) {
      const { error } = await ask(key);
      assert.ok(error);
      assert.deepEqual([error.code, detailsOf(error).reason], [status.INVALID_ARGUMENT, 'INVALID_FIELD']);
      assert.equal(error.details, 'verdict-routing-key: must be 1 to 128 of A-Z, a-z, 0-9 and ._~:@/+=-');
    }
    const batch = await unary(
      classifier.batchClassify.bind(classifier),
      batchRequest(['a']),
      metadataOf('a?'),
    );
    assert.equal(batch.error?.code, status.INVALID_ARGUMENT);
    const stream = await new StreamCall(classifier, metadataOf('a?')).send(streamRequest('a')).end().status;
    assert.equal(stream.code, status.INVALID_ARGUMENT);
  });
});
