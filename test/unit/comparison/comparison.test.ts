import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnsweringVersion, Comparison } from '../../../src/comparison/comparison.js';
import type { ProblemType } from '../../../src/models/types.js';

const versionOf = (
  version: string,
  labels: readonly string[],
  problemType: ProblemType = 'single_label_classification',
): AnsweringVersion => ({ version, digest: version, labels, problemType, appliedActivation: undefined });
const answer = (logits: readonly number[], computeMs?: number) => ({
  logits: Float32Array.from(logits),
  computeMs,
});
const near = (found: number, expected: number) => assert.ok(Math.abs(found - expected) < 1e-6, `${found}`);
/** The logit of a probability among two labels of which the other has the logit 0. */
const logit = (probability: number) => Math.log(probability / (1 - probability));

describe('a comparison of two versions', () => {
  it('counts flips by label and shifts of probability', () => {
    const labels = ['bad', 'good'];
    const comparison = new Comparison(versionOf('1', labels), versionOf('2', labels), 7);
    assert.deepEqual(comparison.add(answer([1, 0]), answer([1, 0])), { isFlipped: false, shift: 0 });
    const flipped = comparison.add(answer([0, logit(0.25)], 2), answer([0, logit(0.75)], 4));
    assert.equal(flipped.isFlipped, true);
    near(flipped.shift, 0.5);
    const view = comparison.view();
    assert.deepEqual(
      [view.version, view.candidate, view.since, view.notComparable, view.compared, view.flips],
      ['1', '2', 7, '', 2, 1],
    );
    near(view.largestShift, 0.5);
    near(view.meanShift, 0.25);
    assert.deepEqual([view.medianMs, view.candidateMedianMs], [2, 4]);
    assert.deepEqual(view.flippedLabels, [{ from: 'bad', to: 'good', count: 1 }]);
    const byLabel = new Map(view.labels.map((label) => [label.label, label]));
    const { held, candidateHeld, flippedFrom, flippedTo } = byLabel.get('bad') ?? assert.fail();
    assert.deepEqual([held, candidateHeld, flippedFrom, flippedTo], [2, 1, 1, 0]);
    assert.equal(byLabel.get('good')?.flippedTo, 1);
  });

  it('goes by the names of labels, whatever their order, and says how many only one version has', () => {
    const comparison = new Comparison(
      versionOf('1', ['a', 'b', 'c']),
      versionOf('2', ['d', 'c', 'b', 'a']),
      0,
    );
    const same = comparison.add(answer([0, 9, 0]), answer([-99, 0, 9, 0]));
    assert.equal(same.isFlipped, false);
    near(same.shift, 0);
    assert.equal(comparison.add(answer([0, 9, 0]), answer([99, 0, 0, 0])).isFlipped, true);
    const view = comparison.view();
    assert.equal(view.labelsUnshared, 1);
    assert.deepEqual(view.flippedLabels, [{ from: 'b', to: 'd', count: 1 }]);
    assert.equal(view.labels.find(({ label }) => label === 'd')?.largestShift, 0);
  });

  it('of several labels at a time flips with each that crosses one half', () => {
    const labels = ['x', 'y', 'z'];
    const several = 'multi_label_classification';
    const comparison = new Comparison(versionOf('1', labels, several), versionOf('2', labels, several), 0);
    assert.equal(comparison.add(answer([1, -1, 1]), answer([2, -2, 0.5])).isFlipped, false);
    assert.equal(comparison.add(answer([1, -1, 1]), answer([1, 1, -1])).isFlipped, true);
    const view = comparison.view();
    assert.deepEqual([view.flips, view.flippedLabels], [1, []]);
    assert.deepEqual(
      view.labels.map(({ label, flippedFrom, flippedTo }) => `${label} ${flippedFrom} ${flippedTo}`).sort(),
      ['x 0 0', 'y 0 1', 'z 1 0'],
    );
  });

  it('of a regression has shifts of the value and no flips', () => {
    const comparison = new Comparison(
      versionOf('1', ['stars'], 'regression'),
      versionOf('2', ['stars'], 'regression'),
      0,
    );
    assert.deepEqual(comparison.add(answer([3]), answer([4.5])), { isFlipped: false, shift: 1.5 });
  });

  it('takes scores as they are where a model makes them itself', () => {
    const scored = { ...versionOf('2', ['a', 'b']), appliedActivation: 'softmax' } as const;
    const comparison = new Comparison(versionOf('1', ['a', 'b']), scored, 0);
    near(comparison.add(answer([0, logit(0.75)]), answer([0.25, 0.75])).shift, 0);
  });

  it('says why there is none: other kinds of answers, no common label', () => {
    const why = (candidate: AnsweringVersion) =>
      new Comparison(versionOf('1', ['a']), candidate, 0).notComparable;
    assert.equal(
      why(versionOf('2', ['a'], 'multi_label_classification')),
      '1 is a single label classification, 2 a multi label classification',
    );
    assert.equal(why(versionOf('2', ['b'])), 'the versions have no label in common');
    assert.equal(why(versionOf('2', ['a', 'b'])), '');
  });

  it('takes no more memory for more inputs: pairs of labels beyond 256 are counted together', () => {
    const labels = Array.from({ length: 300 }, (_, at) => `label ${at}`);
    const comparison = new Comparison(versionOf('1', labels), versionOf('2', labels), 0);
    const holds = (at: number) => answer(labels.map((_, label) => (label === at ? 9 : 0)));
    for (let at = 0; at < 299; at++) comparison.add(holds(at), holds(at + 1));
    for (let more = 0; more < 5; more++) comparison.add(holds(0), holds(1));
    const view = comparison.view();
    assert.deepEqual(view.flippedLabels[0], { from: 'label 0', to: 'label 1', count: 6 });
    assert.deepEqual([view.flippedLabels.length, view.flipsLeftOut], [256, 43]);
    assert.deepEqual([view.labels.length, view.labelsLeftOut], [256, 44]);
  });
});
