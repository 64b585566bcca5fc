import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Golden } from '../../../src/models/golden.js';
import { checkGolden } from '../../../src/models/golden-check.js';
import { TextPreprocessor } from '../../../src/preprocessing/text-preprocessor.js';
import type { Encoded } from '../../../src/runtime/feeds.js';
import type { TextInput, Tokenizer } from '../../../src/tokenizer/types.js';

const tokenizer: Tokenizer = {
  maxTokens: 16,
  padId: 0,
  filesDigest: '',
  encode: async ({ text }) => ({
    ids: Int32Array.from(text.split(' '), Number),
    pairStart: 0,
    truncated: false,
  }),
  close: () => {},
};

const preprocessor = new TextPreprocessor(tokenizer);

const golden: Golden<TextInput> = {
  tolerance: { fp32: 0.01 },
  entries: [
    { input: { text: '1 2' }, cost: 2, tensors: { input_ids: [1, 2] }, truncated: false, logits: [2, -1] },
    {
      input: { text: '3 4 5' },
      cost: 3,
      tensors: { input_ids: [3, 4, 5] },
      truncated: false,
      logits: [-1, 2],
    },
  ],
};

function check(
  rows: number[][],
  known = golden,
  problemType: 'single_label_classification' | 'multi_label_classification' = 'single_label_classification',
) {
  const run = async (batch: readonly Encoded[]) => ({
    logits: batch.map((_, row) => Float32Array.from(rows[row] ?? [])),
    runMs: 0,
  });
  return checkGolden(known, {
    preprocessor,
    run,
    precision: 'fp32',
    problemType,
    batching: 'padded',
    appliedActivation: undefined,
  });
}

describe('checkGolden', () => {
  it('accepts answers within tolerance and tells the largest difference', async () => {
    const report = await check([
      [2.005, -1],
      [-1, 2],
    ]);
    assert.equal(report.ok, true);
    assert.ok(Math.abs(report.largestShift - 0.005) < 1e-6);
  });

  it('refuses another label, a shifted logit, NaN and a missing row, naming the entry', async () => {
    assert.match(
      (
        await check([
          [-1, 2],
          [-1, 2],
        ])
      ).failures.join(),
      /entry 0: the labels differ/,
    );
    assert.match(
      (
        await check([
          [2, -1],
          [-1, 2.5],
        ])
      ).failures.join(),
      /entry 1: a logit differs by 0\.500/,
    );
    assert.equal(
      (
        await check([
          [2, Number.NaN],
          [-1, 2],
        ])
      ).ok,
      false,
    );
    assert.equal((await check([[2, -1]])).ok, false);
  });

  it('refuses other tensors than the reference has', async () => {
    const [first] = golden.entries;
    assert.ok(first);
    const other = { ...golden, entries: [{ ...first, tensors: { input_ids: [1, 9] } }] };
    assert.match((await check([[2, -1]], other)).failures.join(), /input_ids: number 1 differs/);
    const fewer = { ...golden, entries: [{ ...first, tensors: { input_ids: [1] } }] };
    assert.match((await check([[2, -1]], fewer)).failures.join(), /input_ids: expected 1 numbers, got 2/);
    const cut = { ...golden, entries: [{ ...first, truncated: true }] };
    assert.match((await check([[2, -1]], cut)).failures.join(), /expected truncated to be true/);
  });

  it('compares a sample from the shortest to the longest entry, and names the place in the file', async () => {
    const entries = [5, 1, 4, 2, 3].map((length) => ({
      input: { text: Array(length).fill('7').join(' ') },
      cost: length,
      tensors: { input_ids: Array<number>(length).fill(7) },
      truncated: false,
      logits: [2, -1],
    }));
    const seen: number[] = [];
    const report = await checkGolden(
      { tolerance: {}, entries },
      {
        preprocessor,
        run: async (batch) => ({
          logits: batch.map(({ cost }) => {
            seen.push(cost);
            return Float32Array.from(cost === 5 ? [-1, 2] : [2, -1]);
          }),
          runMs: 0,
        }),
        precision: 'fp32',
        problemType: 'single_label_classification',
        batching: 'padded',
        appliedActivation: undefined,
        sampleSize: 3,
      },
    );
    assert.deepEqual(seen, [1, 3, 5]);
    assert.equal(report.entries, 3);
    assert.deepEqual(report.failures, ['entry 0: the labels differ from the reference']);
  });

  it('compares the labels above one half where several may hold', async () => {
    const [first] = golden.entries;
    assert.ok(first);
    const several = { tolerance: { fp32: 10 }, entries: [{ ...first, logits: [2, 1] }] };
    assert.equal((await check([[1, 3]], several, 'multi_label_classification')).ok, true);
    assert.equal((await check([[2, -0.5]], several, 'multi_label_classification')).ok, false);
  });
});
