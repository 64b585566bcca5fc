import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddedModel } from '../../../src/app/add-model.js';
import { cardRows } from '../../../src/cli/model-card.js';
import type { ModelManifest } from '../../../src/models/manifest.js';

const manifest: ModelManifest = {
  name: 'topics',
  version: '1',
  directory: '/models/topics/1',
  modelType: 'roberta',
  labels: Array.from({ length: 10 }, (_, n) => `label ${n}`),
  problemType: 'multi_label_classification',
  maxTokens: 512,
  defaultTruncation: 'end',
  padId: 1,
  firstPosition: 2,
  weights: {},
  tokenizerJsonPath: '',
  tokenizerConfigPath: '',
  goldenPath: '',
  moderation: undefined,
};

const added: AddedModel = {
  name: 'topics',
  directory: '/models/topics/1',
  origin: undefined,
  report: {
    ok: true,
    checks: [],
    manifest,
    weights: [
      {
        precision: 'fp32',
        batching: 'padded',
        appliedActivation: undefined,
        golden: { ok: true, entries: 60, failures: [], largestShift: 0.00001234, tolerance: 0.001 },
        speed: { inputsPerSecond: 1234.5, tokens: 32, batchSize: 16, peakBytes: 412_345_678 },
      },
      {
        precision: 'int8',
        batching: 'one_at_a_time',
        appliedActivation: 'sigmoid',
        golden: undefined,
        speed: { inputsPerSecond: 99, tokens: 32, batchSize: 1, peakBytes: undefined },
      },
    ],
  },
  others: ['onnx/model_q4.onnx'],
  weightBytes: { fp32: 1_234_567_890, int8: 3210 },
};

test('A card has a line for each thing that is known of the model', () => {
  assert.deepEqual(cardRows(added), [
    ['model', 'topics'],
    ['folder', '/models/topics/1'],
    ['family', 'roberta'],
    ['labels', '10: label 0, label 1, label 2, label 3, label 4, label 5, label 6, label 7, and 2 more'],
    ['activation', 'sigmoid: any number of labels'],
    ['reads', 'up to 512 tokens'],
    ['fp32', '1.23 GB'],
    ['', 'any texts share a batch'],
    ['', 'known answers reproduced within 0.0000123'],
    ['', '1,235 texts/s of 32 tokens here, 16 at a time'],
    ['', '412 MB of memory'],
    ['int8', '3.21 kB'],
    ['', 'one text at a time'],
    ['', 'ends in a sigmoid, whose scores are used unchanged'],
    ['', 'answers unchecked: no golden.json'],
    ['', '99 texts/s of 32 tokens here, 1 at a time'],
    ['left out', 'onnx/model_q4.onnx'],
  ]);
});
