import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flamePage } from '../../../../bench/profile/flame-page.js';
import { flameTree } from '../../../../bench/profile/flame-tree.js';
import { topByAllocation, topBySelfTime } from '../../../../bench/profile/top-list.js';

const frame = (functionName: string, url = '', lineNumber = 0) => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 0,
  scriptId: '1',
});

/** root -> work -> inner, and idle time beside it; a second frame of work's name. */
const profile = {
  startTime: 0,
  endTime: 10_000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4, 5, 6] },
    { id: 2, callFrame: frame('work', 'file:///a/dist/src/work.js', 9), children: [3] },
    { id: 3, callFrame: frame('', 'file:///a/node_modules/lib/index.js', 4) },
    { id: 4, callFrame: frame('(idle)') },
    { id: 5, callFrame: frame('never') },
    { id: 6, callFrame: frame('work', 'file:///a/dist/src/work.js', 9) },
  ],
  samples: [2, 3, 4, 3, 6],
  timeDeltas: [1000, 2000, 5000, 1000, 500],
};

describe('the flame graph of a profile', () => {
  it('adds up what is below a frame and leaves out idle time and frames that never ran', () => {
    assert.deepEqual(flameTree(profile), {
      name: '(root)',
      value: 4.5,
      children: [
        {
          name: 'work src/work.js:10',
          value: 4,
          children: [{ name: '(anonymous) lib/index.js:5', value: 3, children: [] }],
        },
        { name: 'work src/work.js:10', value: 0.5, children: [] },
      ],
    });
  });

  it('is empty for an empty profile', () => {
    const empty = flameTree({ startTime: 0, endTime: 0, nodes: [] });
    assert.deepEqual(empty, { name: '(root)', value: 0, children: [] });
  });

  it('lists functions by self time, the same function in two places once', () => {
    assert.deepEqual(topBySelfTime(profile, 5), [
      { name: '(anonymous) lib/index.js:5', self: 3, share: 3 / 4.5 },
      { name: 'work src/work.js:10', self: 1.5, share: 1.5 / 4.5 },
    ]);
    assert.equal(topBySelfTime(profile, 1).length, 1);
  });

  it('lists functions by what they allocated themselves', () => {
    const leaf = { callFrame: frame('leaf'), selfSize: 300, id: 2, children: [] };
    const head = { callFrame: frame('(root)'), selfSize: 100, id: 1, children: [leaf] };
    assert.deepEqual(topByAllocation({ head }, 5), [
      { name: 'leaf', self: 300, share: 0.75 },
      { name: '(root)', self: 100, share: 0.25 },
    ]);
  });

  it('becomes one page that loads nothing and survives any function name', () => {
    const page = flamePage('A & B', { name: '</script><b>', value: 1, children: [] });
    assert.match(page, /<title>A &amp; B<\/title>/);
    assert.ok(!page.includes('</script><b>'));
    assert.equal(page.match(/<script>/g)?.length, 3);
    assert.equal(page.match(/<\/script>/g)?.length, 3);
    assert.doesNotMatch(page, /<script src|<link/);
  });
});
