import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measuredOnly } from '../../../bench/report/measured-only.js';

describe('measuredOnly', () => {
  it('leaves out rounds without a number, with what they were measured against', () => {
    assert.deepEqual(
      measuredOnly([{ name: 'p99', unit: 'ms', values: [1, Number.NaN, 3], reference: [10, 20, 30] }]),
      [{ name: 'p99', unit: 'ms', values: [1, 3], reference: [10, 30] }],
    );
  });

  it('leaves out what no round measured', () => {
    assert.deepEqual(measuredOnly([{ name: 'p99', unit: 'ms', values: [Number.NaN] }]), []);
  });
});
