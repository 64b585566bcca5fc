import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readDelimiter } from '../../../../src/cli/rows/delimiter.js';
import { type InputFormat, openRows } from '../../../../src/cli/rows/read-rows.js';
import { collect, type ReadingChoice, readingOf } from './reading.js';

async function read(input: string, choice: ReadingChoice = {}, format: InputFormat = 'csv') {
  const notes: string[] = [];
  const reading = readingOf({ note: (text) => notes.push(text), ...choice });
  const { rows } = await openRows('-', Readable.from([Buffer.from(input)]), reading, format);
  const texts = (await collect(rows)).map((row) => ('problem' in row ? row.problem : row.text));
  return { texts, notes };
}

for (const [title, input, choice] of [
  ['a semicolon', 'id;text;label\n1;a, b;x\n', {}],
  ['a semicolon, whose header has a comma', 'id;text;"label, or none"\n1;a, b;x\n', {}],
  ['a tab', 'id\ttext\n1\ta, b\n', {}],
  ['a bar', 'id|text\n1|a, b\n', {}],
  ['a comma', 'id,text\n1,"a, b"\n', {}],
  ['a semicolon before a chosen name', 'Nr;Bemerkung\n1;a, b\n', { columns: { text: 'Bemerkung' } }],
  ['what Excel says it is', 'sep=;\nid;text\n1;a, b\n', {}],
  [
    'what is said it is',
    'text;label!id\na, b!1\n',
    { delimiter: '!', columns: { header: 'yes', text: '1' } },
  ],
] as const) {
  test(`The delimiter is found without a word: ${title}`, async () => {
    assert.deepEqual(await read(input, choice), { texts: ['a, b'], notes: [] });
  });
}

test('A delimiter that is not certain is told, with what else it may be', async () => {
  const unknown = await read('Nr;Bemerkung\n1;a\n');
  assert.deepEqual(unknown.notes, [
    'taking "," as the delimiter, but line 1 also has ";"; choose one with --delimiter',
  ]);
  const twofold = await read('text;x,label,y;z;w\n');
  assert.deepEqual(twofold.notes, [
    'taking ";" as the delimiter, but line 1 also has ","; choose one with --delimiter',
  ]);
});

test('A line before the header that says a quote separates says nothing', async () => {
  await assert.rejects(read('sep="\ntext"label\n'), {
    message: /^line 1 of the input has a quote inside a field/,
  });
});

test('A single column, with and without commas in its quotes, is certain', async () => {
  assert.deepEqual(await read('text\n"a, b"\n'), { texts: ['a, b'], notes: [] });
});

test('--delimiter takes one character or a tab, and a CSV alone', async () => {
  assert.deepEqual(['tab', '\\t', '\t', ';'].map(readDelimiter), ['\t', '\t', '\t', ';']);
  for (const wrong of ['', ';;', '"', '\n'])
    assert.throws(() => readDelimiter(wrong), { message: /--delimiter takes/ });
  await assert.rejects(read('a\n', { delimiter: ';' }, 'tsv'), {
    message: /--delimiter is for CSV.*read as tsv/,
  });
});
