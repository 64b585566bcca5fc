import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classificationMessage } from '../../../src/rpc/classification-message.js';

test('times are told to the microsecond, without the digits that are noise', () => {
  const { timings } = classificationMessage(
    {
      predictions: [],
      logits: Float32Array.of(),
      model: 'sentiment',
      version: '1',
      alias: '',
      tokenCount: 3,
      truncated: false,
      cache: 'miss',
      timings: {
        tokenizeMs: 0.6770839999999225,
        queueMs: 0,
        inferenceMs: 12.000499999999999,
        totalMs: 1234.5678,
        batchSize: 7,
      },
    },
    undefined,
  );
  assert.deepEqual(timings, {
    tokenizeMs: 0.677,
    queueMs: 0,
    inferenceMs: 12,
    totalMs: 1234.568,
    batchSize: 7,
  });
});
