import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Golden } from '../../../src/models/golden.js';
import { type FlipsSubject, type KnownAnswers, labelFlips } from '../../../src/models/label-flips.js';
import type { Preprocessor } from '../../../src/preprocessing/preprocessor.js';
import type { Encoded } from '../../../src/runtime/feeds.js';

/** Inputs are the logits that the new version answers them with; one of length 0 cannot be read. */
type Row = readonly number[];

const preprocessor = {
  encode: async (input: Row): Promise<Encoded> => {
    if (input.length === 0) throw new Error('nothing is left of it');
    return { cost: input.length, truncated: false, tensors: { row: Float32Array.from(input) } };
  },
} as Partial<Preprocessor<Row>> as Preprocessor<Row>;

const answering = (entries: readonly (readonly [now: Row, before: Row])[]): Golden<Row> => ({
  tolerance: {},
  entries: entries.map(([input, logits]) => ({ input, logits, cost: 1, tensors: {}, truncated: false })),
});

const former = (
  golden: Golden<Row> | undefined,
  more: Partial<KnownAnswers<Row>> = {},
): KnownAnswers<Row> => ({
  ...{
    labels: ['NO', 'YES'],
    problemType: 'single_label_classification',
    appliedActivation: undefined,
    golden,
  },
  ...more,
});

const batches: number[] = [];
const subject = (more: Partial<FlipsSubject<Row>> = {}): FlipsSubject<Row> => ({
  ...{ labels: ['NO', 'YES'], problemType: 'single_label_classification', appliedActivation: undefined },
  run: async (batch) => {
    batches.push(batch.length);
    return { runMs: 1, logits: batch.map(({ tensors }) => tensors.row as Float32Array) };
  },
  preprocessor,
  batching: 'padded',
  ...more,
});

const pairs = answering([
  [
    [1, 0],
    [2, -2],
  ],
  [
    [0, 1],
    [2, -2],
  ],
  [
    [-3, -1],
    [-9, 1],
  ],
]);

describe('the labels that flip between two versions', () => {
  it('are counted by the best label of each known text', async () => {
    assert.deepEqual(await labelFlips(former(pairs), subject()), { compared: 3, flipped: 1 });
  });

  it('are counted where any of several labels changes, by what each graph makes of its logits', async () => {
    const several = { problemType: 'multi_label_classification' } as const;
    const golden = answering([
      [
        [1, 1],
        [0.2, 3],
      ],
      [
        [1, -1],
        [0.2, 3],
      ],
    ]);
    assert.deepEqual(await labelFlips(former(golden, several), subject(several)), {
      compared: 2,
      flipped: 1,
    });
    const scores = { ...several, appliedActivation: 'sigmoid' } as const;
    assert.deepEqual(await labelFlips(former(golden, several), subject(scores)), { compared: 2, flipped: 1 });
    assert.deepEqual(await labelFlips(former(golden, scores), subject(several)), { compared: 2, flipped: 2 });
  });

  it('count a text that the new version cannot read', async () => {
    const golden = answering([
      [[], [2, -2]],
      [
        [1, 0],
        [2, -2],
      ],
    ]);
    assert.deepEqual(await labelFlips(former(golden), subject()), { compared: 2, flipped: 1 });
  });

  it('are looked for in the batches that the version allows', async () => {
    batches.length = 0;
    await labelFlips(former(pairs), subject());
    await labelFlips(former(pairs), subject({ batching: 'one_at_a_time' }));
    assert.deepEqual(batches, [3, 1, 1, 1]);
  });

  it('are not to be had of other labels, of numbers, or without known answers', async () => {
    const regression = { problemType: 'regression' } as const;
    for (const [one, other] of [
      [former(undefined), subject()],
      [former(pairs, { labels: ['YES', 'NO'] }), subject()],
      [former(pairs, regression), subject(regression)],
      [former(pairs), subject({ problemType: 'multi_label_classification' })],
    ] as const) {
      assert.equal(await labelFlips(one, other), undefined);
    }
  });
});
