import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scenarios } from '../../../bench/scenarios.js';

describe('the scenarios', () => {
  it('have names of their own that files can bear', () => {
    const names = scenarios.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it('leave each bar to one of them', () => {
    const claimed = scenarios.flatMap(({ bars }) => bars);
    assert.equal(new Set(claimed).size, claimed.length);
  });
});
