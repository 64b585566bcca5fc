import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VerdictClient } from '../../../clients/typescript/src/index.js';
import { connect } from './connect.js';
import { classification } from './test-server.js';

const labels = Array.from({ length: 6_000 }, (_, index) => ({
  label: `a label as long as labels are ${index}`,
  score: 1 / 6_000,
  index,
}));
/** 32 inputs with all scores of 6,000 labels: 8 MB, twice what gRPC takes by default. */
const texts = Array.from({ length: 32 }, (_, n) => `text ${n}`);

test('A reply of 8 MB arrives', async () => {
  const value = classification({ predictions: labels });
  const client = await connect({
    batchClassify: ({ inputs }) => ({
      results: inputs.map(() => ({ outcome: { $case: 'classification', value } })),
    }),
  });
  const results = await client.classifyBatch(texts, { topK: 0 });
  assert.equal(results.length, 32);
  assert.ok(results.every((result) => result.ok && result.classification.predictions.length === 6_000));
});

test('A reply above the limit is told apart from overload, and is not asked for again', async () => {
  let calls = 0;
  const client = await connect(
    {
      batchClassify: ({ inputs }) => {
        calls++;
        const value = classification({ predictions: labels });
        return { results: inputs.map(() => ({ outcome: { $case: 'classification', value } })) };
      },
    },
    { maxReceiveBytes: 4 * 1024 * 1024 },
  );
  await assert.rejects(client.classifyBatch(texts, { topK: 0 }), {
    code: 'RESOURCE_EXHAUSTED',
    reason: 'RESPONSE_TOO_LARGE',
    retryAfterMs: undefined,
    message: /^Received message larger than max/,
  });
  assert.equal(calls, 1);
});

test('So is a message of a stream', async () => {
  const client = await connect(
    {
      classifyStream: (call) => {
        const value = classification({ predictions: labels });
        call.once('data', () =>
          call.write({ id: '', index: 0, outcome: { $case: 'classification', value } }),
        );
      },
    },
    { maxReceiveBytes: 100_000 },
  );
  await assert.rejects(client.classifyStream(['text']).next(), {
    code: 'RESOURCE_EXHAUSTED',
    reason: 'RESPONSE_TOO_LARGE',
  });
});

test('A limit that gRPC cannot keep is refused', () => {
  for (const maxReceiveBytes of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => new VerdictClient({ maxReceiveBytes }), {
      code: 'INVALID_ARGUMENT',
      message: /maxReceiveBytes/,
    });
  }
});
