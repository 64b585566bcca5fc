import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, test } from 'node:test';
import { type InputFormat, openRows } from '../../../../src/cli/rows/read-rows.js';
import type { Row } from '../../../../src/cli/rows/row.js';

const dir = mkdtempSync(join(tmpdir(), 'verdict-rows-'));
after(() => rmSync(dir, { recursive: true }));

/** The rows of a text that comes in chunks of one byte, so that every boundary is met. */
async function rowsOf(text: string, format: InputFormat): Promise<Row[]> {
  const bytes = Readable.from([...Buffer.from(text)].map((byte) => Buffer.of(byte)));
  const { rows } = await openRows('-', bytes, {}, format);
  return collect(rows);
}

async function collect(rows: AsyncIterable<Row>): Promise<Row[]> {
  const collected: Row[] = [];
  for await (const row of rows) collected.push(row);
  return collected;
}

test('In a TSV quotes are characters, and the offsets are those of the bytes', async () => {
  const rows = await rowsOf('sentence\tlabel\n"so" good \t1\r\n\nçà 😀\t0', 'tsv');
  assert.deepEqual(rows, [
    { text: '"so" good ', textPair: undefined, expected: '1', endOffset: 29 },
    { text: 'çà 😀', textPair: undefined, expected: '0', endOffset: 41 },
  ]);
});

test('In a CSV quotes hold commas, line ends and quotes', async () => {
  const rows = await rowsOf('\uFEFFtext,category\n"a, ""b""\nc",x\nd,y\n', 'csv');
  assert.deepEqual(
    rows.map(({ text, expected }) => [text, expected]),
    [
      ['a, "b"\nc', 'x'],
      ['d', 'y'],
    ],
  );
  assert.equal(rows[1]?.endOffset, 36);
});

test('A CSV that is none says where', async () => {
  await assert.rejects(rowsOf('text\n"a"b\n', 'csv'), { name: 'UsageError', message: /no CSV/ });
});

test('JSON lines hold objects or strings', async () => {
  const rows = await rowsOf(
    '{"review":"a","label":1}\n"b"\n{"text":"c","text_pair":"d","extra":[]}\n',
    'jsonl',
  );
  assert.deepEqual(
    rows.map(({ text, textPair, expected }) => ({ text, textPair, expected })),
    [
      { text: 'a', textPair: undefined, expected: '1' },
      { text: 'b', textPair: undefined, expected: undefined },
      { text: 'c', textPair: 'd', expected: undefined },
    ],
  );
});

for (const [line, message] of [
  ['{', /line 2 .* no JSON/],
  ['7', /line 2 .* neither an object nor a string/],
  ['{"body":"x"}', /line 2 .* no text .* it has: body/],
] as const) {
  test(`A line of JSON that cannot be used is named by its number: ${line}`, async () => {
    await assert.rejects(rowsOf(`"fine"\n${line}\n`, 'jsonl'), { name: 'UsageError', message });
  });
}

test('Plain lines are texts; empty ones are none', async () => {
  const rows = await rowsOf('one\n\n text \r\nlast', 'lines');
  assert.deepEqual(
    rows.map(({ text }) => text),
    ['one', ' text ', 'last'],
  );
});

test("A file's name says what is in it, and its size is known", async () => {
  const path = join(dir, 'a.CSV');
  writeFileSync(path, 'text,label\nhello,1\n');
  const { rows, totalBytes } = await openRows(path, new PassThrough(), {}, undefined);
  assert.equal(totalBytes, 19);
  assert.deepEqual(await collect(rows), [
    { text: 'hello', textPair: undefined, expected: '1', endOffset: 19 },
  ]);
});

for (const [name, message] of [
  ['absent.tsv', /there is no such file/],
  ['unknown.xyz', /--input-format tsv\|csv\|jsonl\|lines/],
  ['', /--input-format/],
] as const) {
  test(`A file that cannot be used is an error with a way out: ${name || 'a folder'}`, async () => {
    await assert.rejects(openRows(join(dir, name), new PassThrough(), {}, undefined), {
      name: 'UsageError',
      message,
    });
  });
}

test('A folder with the name of a file is told to be one', async () => {
  await assert.rejects(openRows(dir, new PassThrough(), {}, 'tsv'), { message: /it is a folder/ });
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
  const source = await openRows('-', endless, {}, 'lines');
  const iterator = source.rows[Symbol.asyncIterator]();
  for (let taken = 0; taken < 10; taken++) await iterator.next();
  assert.ok(pushed < 30, `${pushed} chunks read for 10 rows`);
  source.close();
});
