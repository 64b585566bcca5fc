import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { predict } from '../../../src/classify/scores.js';

const labels = ['a', 'b', 'c'];
const all = { topK: 0, minScore: undefined };

function scores(logits: number[], activation: 'softmax' | 'sigmoid' | 'none') {
  return predict(Float32Array.from(logits), labels, { ...all, activation });
}

function close(actual: number | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-6, `${actual} is not ${expected}`);
}

describe('predict', () => {
  it('turns logits into a distribution under softmax', () => {
    const [first, second, third] = scores([1, 3, 2], 'softmax');
    assert.deepEqual([first?.label, second?.label, third?.label], ['b', 'c', 'a']);
    close(first?.score, 0.665_240_95);
    close(second?.score, 0.244_728_47);
    close(third?.score, 0.090_030_57);
  });

  it('scores each label on its own under sigmoid', () => {
    const [first, , third] = scores([0, 2, -2], 'sigmoid');
    close(first?.score, 0.880_797_08);
    close(third?.score, 0.119_202_92);
  });

  it('returns raw logits when no activation is wanted', () => {
    assert.deepEqual(
      scores([0.5, -7, 3], 'none').map(({ score, index }) => [score, index]),
      [
        [3, 2],
        [0.5, 0],
        [-7, 1],
      ],
    );
  });

  it('does not overflow on large logits', () => {
    const [first] = scores([1000, 999, -1000], 'softmax');
    close(first?.score, 1 / (1 + Math.exp(-1)));
  });

  it('breaks ties by ascending index, for the best one and for all', () => {
    const tied = Float32Array.of(2, 2, 2);
    assert.deepEqual(
      predict(tied, labels, { ...all, activation: 'softmax' }).map(({ index }) => index),
      [0, 1, 2],
    );
    assert.equal(predict(tied, labels, { ...all, topK: 1, activation: 'softmax' })[0]?.index, 0);
  });

  it('gives every label when topK is 0 or more than there are', () => {
    for (const topK of [0, 3, 99]) {
      assert.equal(predict(Float32Array.of(1, 2, 3), labels, { ...all, topK, activation: 'none' }).length, 3);
    }
  });

  it('applies minScore before topK, and may leave nothing', () => {
    const logits = Float32Array.of(1, 5, 3);
    const options = { activation: 'none', topK: 2 } as const;
    assert.deepEqual(
      predict(logits, labels, { ...options, minScore: 3 }).map(({ label }) => label),
      ['b', 'c'],
    );
    assert.deepEqual(predict(logits, labels, { ...options, minScore: 6 }), []);
    assert.deepEqual(predict(logits, labels, { activation: 'none', topK: 1, minScore: 5.5 }), []);
  });

  it('is sorted, complete and sums to one for any logits', () => {
    const logits = fc.float32Array({ minLength: 1, maxLength: 80, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(logits, (values) => {
        const names = Array.from(values, (_, index) => `label ${index}`);
        const predictions = predict(values, names, { ...all, activation: 'softmax' });
        assert.equal(new Set(predictions.map(({ index }) => index)).size, values.length);
        close(
          predictions.reduce((sum, { score }) => sum + score, 0),
          1,
        );
        predictions.reduce((before, after) => {
          assert.ok(
            before.score > after.score || (before.score === after.score && before.index < after.index),
          );
          return after;
        });
        const [best] = predict(values, names, { ...all, topK: 1, activation: 'softmax' });
        assert.equal(best?.index, predictions[0]?.index);
      }),
    );
  });
});
