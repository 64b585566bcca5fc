import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, test } from 'node:test';
import { type InputFormat, openRows } from '../../../../src/cli/rows/read-rows.js';
import { type InputRow, isMalformed, type Row } from '../../../../src/cli/rows/row.js';
import { collect, type ReadingChoice, readingOf } from './reading.js';

const dir = mkdtempSync(join(tmpdir(), 'verdict-rows-'));
after(() => rmSync(dir, { recursive: true }));

/** The rows of a text that comes in chunks of one byte, so that every boundary is met. */
async function rowsOf(
  input: string | Buffer,
  format: InputFormat,
  choice: ReadingChoice = {},
): Promise<InputRow[]> {
  const bytes = Readable.from([...Buffer.from(input)].map((byte) => Buffer.of(byte)));
  const { rows } = await openRows('-', bytes, readingOf(choice), format);
  return collect(rows);
}

/** A row in short: its text, or its line and its problem. */
const short = (row: InputRow) => ('problem' in row ? `${row.line}: ${row.problem}` : row.text);

test('In a TSV quotes are characters, and the offsets are those of the bytes', async () => {
  const rows = await rowsOf('sentence\tlabel\n"so" good \t1\r\n\nçà 😀\t0', 'tsv');
  assert.deepEqual(rows, [
    { text: '"so" good ', textPair: undefined, expected: '1', kept: [], line: 2, endOffset: 29 },
    { text: 'çà 😀', textPair: undefined, expected: '0', kept: [], line: 4, endOffset: 41 },
  ]);
});

test('In a CSV quotes hold commas, line ends and quotes', async () => {
  const rows = await rowsOf('\uFEFFtext,category\n"a, ""b""\nc",x\nd,y\n', 'csv');
  assert.deepEqual(
    rows.map((row) => [short(row), 'expected' in row && row.expected]),
    [
      ['a, "b"\nc', 'x'],
      ['d', 'y'],
    ],
  );
  assert.equal(rows[1]?.endOffset, 36);
});

const pick = ({ text, textPair, expected }: Row) => ({ text, textPair, expected });

test('JSON lines hold objects or strings', async () => {
  const rows = await rowsOf(
    '{"review":"a","label":1}\n"b"\n{"text":"c","text_pair":"d","extra":[]}\n',
    'jsonl',
  );
  assert.deepEqual(
    rows.map((row) => (isMalformed(row) ? row : pick(row))),
    [
      { text: 'a', textPair: undefined, expected: '1' },
      { text: 'b', textPair: undefined, expected: undefined },
      { text: 'c', textPair: 'd', expected: undefined },
    ],
  );
});

test('Plain lines are texts; empty ones are none', async () => {
  const rows = await rowsOf('one\n\n text \r\nlast', 'lines');
  assert.deepEqual(rows.map(short), ['one', ' text ', 'last']);
});

test("A file's name says what is in it, and its size is known", async () => {
  const path = join(dir, 'a.CSV');
  writeFileSync(path, 'text,label\nhello,1\n');
  const { rows, totalBytes } = await openRows(path, new PassThrough(), readingOf(), undefined);
  assert.equal(totalBytes, 19);
  assert.deepEqual(await collect(rows), [
    { text: 'hello', textPair: undefined, expected: '1', kept: [], line: 2, endOffset: 19 },
  ]);
});

writeFileSync(join(dir, 'unknown.xyz'), 'text');
for (const [name, message] of [
  ['absent.tsv', /there is no such file/],
  ['absent.xyz', /there is no such file/],
  [
    'unknown.xyz',
    /cannot tell the format of .*unknown\.xyz from its name.*--input-format tsv\|csv\|jsonl\|lines/,
  ],
  ['', /is a directory; --input takes a file/],
] as const) {
  test(`A file that cannot be used is an error with a way out: ${name || 'a directory'}`, async () => {
    await assert.rejects(openRows(join(dir, name), new PassThrough(), readingOf(), undefined), {
      name: 'UsageError',
      message,
    });
  });
}

test('A directory is told to be one also where the format is given', async () => {
  await assert.rejects(openRows(dir, new PassThrough(), readingOf(), 'tsv'), { message: /is a directory/ });
});

test('A source is read no further than its rows are asked for', async () => {
  let pushed = 0;
  const endless = new Readable({
    highWaterMark: 1024,
    read() {
      pushed++;
      this.push(Buffer.from('x'.repeat(1023).concat('\n')));
    },
  });
  const source = await openRows('-', endless, readingOf(), 'lines');
  const iterator = source.rows[Symbol.asyncIterator]();
  for (let taken = 0; taken < 10; taken++) await iterator.next();
  assert.ok(pushed < 30, `${pushed} chunks read for 10 rows`);
  source.close();
});

for (const [line, problem] of [
  ['{', 'is not valid JSON'],
  ['7', 'is neither a JSON object nor a string'],
  ['["a"]', 'is neither a JSON object nor a string'],
  ['{"body":"x"}', 'has no text (--text-column names the field); it has the fields body'],
  ['{"text":5}', 'has a number in "text" instead of a text'],
  ['{"text":null}', 'has null in "text" instead of a text'],
  ['{"text":"a","text_pair":["b"]}', 'has an array in "text_pair" instead of a text'],
] as const) {
  test(`A line of JSON that cannot be used is malformed, and the next one is read: ${line}`, async () => {
    const rows = await rowsOf(`"fine"\n\n${line}\n"too"\n`, 'jsonl');
    assert.deepEqual(rows.map(short), ['fine', `3: ${problem}`, 'too']);
  });
}

for (const [title, csv, rows] of [
  [
    'text behind a closing quote costs its line alone',
    'text,label\n"a"b,1\nfine,0\n',
    ['2: has text after a closing quote (a quote inside a quoted field is written twice)', 'fine'],
  ],
  [
    'a quote that is never closed costs its line alone',
    'text,label\n"open,1\nfine,0\n"quoted, too",1\nlast,0',
    ['2: opens a quote that is never closed', 'fine', 'quoted, too', 'last'],
  ],
  [
    'a quote that is closed a hundred thousand lines further on costs its line alone',
    `text,label\n"open\n${'\n'.repeat(100_000)}fine,0\nend",1\n`,
    [
      '2: opens a quote that is never closed',
      'fine',
      '100004: has a quote inside a field that does not begin with one',
    ],
  ],
  [
    'a quote that another row would close costs its line alone',
    'text,label\n"open,1\nfine,0\n"shut",1\nlast,0\n"odd,2\nend,1\n',
    [
      '2: has text after a closing quote (a quote inside a quoted field is written twice)',
      'fine',
      'shut',
      'last',
      '6: opens a quote that is never closed',
      'end',
    ],
  ],
  [
    'a quote in the middle of a bare field',
    'text,label\n5" nails,1\nfine,0\n',
    ['2: has a quote inside a field that does not begin with one', 'fine'],
  ],
  [
    'a bare comma in a text, which would be cut there',
    'text,label\nHello, world,1\nfine,0,,\nshort\n',
    ['2: has 3 columns where the header has 2', 'fine', '4: has 1 column where the header has 2'],
  ],
  [
    'line numbers count the lines of quoted fields and the empty ones',
    'text,label\r\n"a\r\n\r\nb",1\r\n\r\n"c"d,0\r\n',
    ['a\r\n\r\nb', '6: has text after a closing quote (a quote inside a quoted field is written twice)'],
  ],
] as const) {
  test(`A CSV: ${title}`, async () => {
    assert.deepEqual((await rowsOf(csv, 'csv')).map(short), rows);
  });
}

test('A TSV with more or fewer columns than the first row is malformed there', async () => {
  const rows = await rowsOf('good\t1\nbad\there\t0\nalone\nfine\t0\n', 'tsv');
  assert.deepEqual(rows.map(short), [
    'good',
    '2: has 3 columns where the first row has 2',
    '3: has 1 column where the first row has 2',
    'fine',
  ]);
});

test('A row that is too long is malformed, and is not held in memory', async () => {
  const part = Buffer.alloc(1024 * 1024, 'x');
  const input = Readable.from([...Array.from({ length: 20 }, () => part), Buffer.from('\nfine\n')]);
  const { rows } = await openRows('-', input, readingOf(), 'lines');
  assert.deepEqual((await collect(rows)).map(short), ['1: is longer than 16 MiB', 'fine']);
});

test('A first row that is malformed ends the reading: nothing tells the columns', async () => {
  await assert.rejects(rowsOf('text,"a"b\nfine,1\n', 'csv'), {
    name: 'UsageError',
    message: /^line 1 of the input has text after a closing quote.*without it the columns are unknown$/,
  });
});
