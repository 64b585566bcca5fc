import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { table, widthOf } from '../../../../src/cli/output/table.js';

test('Columns stand under each other, and the last one gives way', () => {
  assert.deepEqual(
    table(
      [
        ['POSITIVE', '0.9', 'short'],
        ['NO', '0.12', 'a text that is too long for the line'],
      ],
      30,
    ),
    ['POSITIVE  0.9   short', 'NO        0.12  a text that i…'],
  );
});

test('Control characters of texts do not reach the terminal', () => {
  assert.deepEqual(table([['a', 'x\u001B[2J\ny']], 80), ['a  x [2J y']);
});

test('A terminal that does not know its width has 80 columns', () => {
  assert.equal(widthOf(Object.assign(new PassThrough(), { columns: 0 })), 80);
  assert.equal(widthOf(Object.assign(new PassThrough(), { columns: 132 })), 132);
});
