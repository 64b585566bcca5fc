import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatNumber, formatVerdict } from '../../../../bench/report/format-value.js';
import { judge } from '../../../../bench/report/judge.js';

const measurement = { name: 'served / ceiling', unit: 'x', bar: 'stream-256-tight' } as const;

describe('judging a measurement', () => {
  it('takes the median and the quartiles of the rounds', () => {
    const judged = judge({ name: 'p99', unit: 'ms', values: [10, 30, 20, 50, 40] }, 'base');
    assert.deepEqual(
      [judged.lowerQuartile, judged.median, judged.upperQuartile, judged.verdict],
      [20, 30, 40, undefined],
    );
  });

  it('finds a bar reached', () => {
    const { verdict } = judge({ ...measurement, values: [0.96, 0.97, 0.98] }, 'base');
    assert.deepEqual(verdict, { bar: 'stream-256-tight', reached: true, missedBy: 0, doubts: [] });
    assert.equal(verdict && formatVerdict(verdict), 'yes');
  });

  it('tells by how much a bar is missed, as a share of it', () => {
    const { verdict } = judge({ ...measurement, values: [0.76, 0.76, 0.76] }, 'base');
    assert.equal(verdict && formatVerdict(verdict), 'no, by 20.0 %');
  });

  it('tells in its unit by how much a bar of 0 is missed', () => {
    const expired = { name: 'expired', unit: 'items', values: [2, 2, 2], bar: 'overload-expired' } as const;
    const { verdict } = judge(expired, 'base');
    assert.equal(verdict && formatVerdict(verdict), 'no, by 2.00 items');
  });

  it('counts a bar as reached where the median lies on it', () => {
    assert.equal(judge({ ...measurement, values: [0.95, 0.95, 0.95] }, 'base').verdict?.reached, true);
  });

  it('holds no bar of one model against another', () => {
    assert.equal(judge({ ...measurement, values: [1, 1, 1] }, 'sentiment').verdict, undefined);
    const startup = { name: 'start', unit: 'ms', values: [1, 1, 1], bar: 'startup' } as const;
    assert.equal(judge(startup, 'sentiment').verdict?.reached, true);
  });

  it('doubts where the bar lies between the quartiles', () => {
    const { verdict } = judge({ ...measurement, values: [0.9, 0.94, 0.96, 0.99] }, 'base');
    assert.deepEqual(verdict?.doubts, ['the bar lies between the quartiles']);
  });

  it('doubts where the reference drifted', () => {
    const { verdict } = judge({ ...measurement, values: [1, 1, 1], reference: [60, 100, 140] }, 'base');
    assert.deepEqual(verdict?.doubts, ['the reference drifted by a factor of 2.3']);
  });

  it('doubts where rounds are few', () => {
    const { verdict } = judge({ ...measurement, values: [1] }, 'base');
    assert.deepEqual(verdict?.doubts, ['fewer than 3 rounds']);
    assert.equal(verdict && formatVerdict(verdict), 'yes (too noisy to tell: fewer than 3 rounds)');
  });

  it('reaches no bar with a value that is no number', () => {
    const { verdict } = judge({ ...measurement, values: [Number.NaN, Number.NaN, Number.NaN] }, 'base');
    assert.equal(verdict?.reached, false);
  });
});

describe('numbers in reports', () => {
  it('have three digits that count', () => {
    assert.deepEqual([0.94216, 1.2345, 13.44, 131.6, 13_116.2, Number.NaN, 0].map(formatNumber), [
      ...['0.942', '1.23', '13.4', '132', '13,116', '-', '0'],
    ]);
  });
});
