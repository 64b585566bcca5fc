import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ColumnChoice, type Columns, findColumns } from '../../../../src/cli/rows/columns.js';

const cases: [title: string, first: string[], choice: ColumnChoice, found: Columns][] = [
  [
    'The header of SST-2 names text and label',
    ['sentence', 'label'],
    {},
    { isHeader: true, text: 0, pair: undefined, label: 1 },
  ],
  [
    'Names count in any case and any order',
    ['Category ', 'TEXT'],
    {},
    { isHeader: true, text: 1, pair: undefined, label: 0 },
  ],
  [
    'Two sentences are a pair',
    ['index', 'sentence1', 'sentence2', 'label'],
    {},
    { isHeader: true, text: 1, pair: 2, label: 3 },
  ],
  [
    'A first row without known names is a row like any other',
    ['nice film', '1'],
    {},
    { isHeader: false, text: 0, pair: undefined, label: undefined },
  ],
  [
    'Columns without names are chosen by position, from 1',
    ['17', 'nice film', '1'],
    { text: '2', label: '3' },
    { isHeader: false, text: 1, pair: undefined, label: 2 },
  ],
  [
    'A chosen name makes the first row a header',
    ['id', 'Body', 'score'],
    { text: 'body' },
    { isHeader: true, text: 1, pair: undefined, label: undefined },
  ],
  [
    'The choice wins over the names that are known',
    ['text', 'title', 'label', 'target'],
    { text: 'title', label: 'target' },
    { isHeader: true, text: 1, pair: undefined, label: 3 },
  ],
  [
    'A first row that only looks like a header is a row where that is said',
    ['text', 'label'],
    { header: 'no' },
    { isHeader: false, text: 0, pair: undefined, label: undefined },
  ],
  [
    'The only column is the text, whatever its header says',
    ['Bemerkung'],
    { header: 'yes' },
    { isHeader: true, text: 0, pair: undefined, label: undefined },
  ],
];

for (const [title, first, choice, found] of cases) {
  test(title, () => assert.deepEqual(findColumns(first, choice), found));
}

test('A header without a text says which columns there are', () => {
  assert.throws(() => findColumns(['id', 'label'], {}), {
    name: 'UsageError',
    message: /id, label.*--text-column/,
  });
});

test('A column that is not there is named', () => {
  assert.throws(() => findColumns(['text', 'label'], { label: 'gold' }), {
    message: /--label-column.*"gold".*text, label/,
  });
  assert.throws(() => findColumns(['a', 'b'], { text: '3' }), { message: /"3".*2 columns, and no header/ });
});
