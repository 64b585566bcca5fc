import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { type InputFormat, openRows } from '../../../../src/cli/rows/read-rows.js';
import { collect, readingOf } from './reading.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16le = (text: string) => Buffer.from(text, 'utf16le');
const utf16be = (text: string) => utf16le(text).swap16();
const BOM = '\uFEFF';

/** Texts and problems of bytes that come one by one. */
async function rowsOf(bytes: Buffer, encoding = 'utf-8', format: InputFormat = 'lines'): Promise<string[]> {
  const stream = Readable.from([...bytes].map((byte) => Buffer.of(byte)));
  const { rows } = await openRows('-', stream, readingOf({ encoding }), format);
  return (await collect(rows)).map((row) => ('problem' in row ? `${row.line}: ${row.problem}` : row.text));
}

test('Bytes that are not UTF-8 make their line malformed, and the way out is told', async () => {
  const bytes = Buffer.concat([Buffer.from('naïve 😀\n'), latin1('naïve\nplain\n')]);
  assert.deepEqual(await rowsOf(bytes), [
    'naïve 😀',
    '2: is not valid UTF-8 (--encoding names another encoding, such as latin1)',
    'plain',
  ]);
});

test('A CSV row is malformed as a whole where a line of its quoted field is', async () => {
  const bytes = latin1('text,label\n"first\nna\u00EFve\nlast",1\nfine,0\n');
  assert.deepEqual(await rowsOf(bytes, 'utf-8', 'csv'), [
    '2: continues in line 3, which is not valid UTF-8 (--encoding names another encoding, such as latin1)',
    'fine',
  ]);
});

for (const [title, bytes, encoding] of [
  ['latin1', latin1('naïve\r\nÀ la carte'), 'latin1'],
  ['UTF-16 LE', utf16le('naïve\r\nÀ la carte'), 'utf-16le'],
  ['UTF-16 BE', utf16be('naïve\nÀ la carte\n'), 'utf-16be'],
  ['UTF-16 LE by its byte order mark', utf16le(`${BOM}naïve\nÀ la carte\n`), 'utf-8'],
  ['UTF-16 BE by its byte order mark', utf16be(`${BOM}naïve\nÀ la carte\n`), 'utf-8'],
  ['UTF-8 by its byte order mark, whatever is said', Buffer.from(`${BOM}naïve\nÀ la carte\n`), 'latin1'],
] as const) {
  test(`Lines are read as ${title}`, async () => {
    assert.deepEqual(await rowsOf(bytes, encoding), ['naïve', 'À la carte']);
  });
}

test('In UTF-16 a byte of ten that is half of a character ends no line, and a lone surrogate is malformed', async () => {
  assert.deepEqual(await rowsOf(utf16le('\u0A0A\u0A00\u010A\nok\n'), 'utf-16le'), [
    '\u0A0A\u0A00\u010A',
    'ok',
  ]);
  const lone = Buffer.concat([Buffer.of(0x00, 0xd8), utf16le('\nok\n')]);
  assert.match((await rowsOf(lone, 'utf-16le'))[0] ?? '', /^1: is not valid UTF-16LE/);
});

test('A byte order mark is taken off at the beginning alone', async () => {
  assert.deepEqual(await rowsOf(Buffer.from(`${BOM}a\n${BOM}b\n`)), ['a', `${BOM}b`]);
  assert.deepEqual(await rowsOf(Buffer.from(BOM)), []);
});

test('Shift_JIS, whose characters may hold any ASCII byte but a line feed', async () => {
  // 表 is 0x95 0x5C, and 0x5C alone is a backslash.
  assert.deepEqual(await rowsOf(Buffer.from([0x95, 0x5c, 0x0a, 0x61]), 'shift_jis'), ['表', 'a']);
});

for (const [title, first, format] of [
  ['of an odd number of bytes', 'odd', 'lines'],
  ['of an even number of bytes', 'even', 'lines'],
  ['of one byte', 'a', 'lines'],
  ['of a table', 'text\na row', 'tsv'],
  ['of a table with commas', 'text\n"a row"', 'csv'],
] as const) {
  test(`A line ${title} is read before anything comes behind it`, { timeout: 10_000 }, async () => {
    const stream = new PassThrough();
    stream.write(`${first}\n`);
    const { rows } = await openRows('-', stream, readingOf(), format);
    const { value } = await rows[Symbol.asyncIterator]().next();
    assert.ok(value !== undefined && 'text' in value);
    assert.ok(first.includes(value.text));
    stream.end();
  });
}

test('An encoding that does not exist is wrong usage', async () => {
  await assert.rejects(rowsOf(Buffer.from('a'), 'latin-nine'), {
    name: 'UsageError',
    message: /--encoding: unknown encoding "latin-nine"/,
  });
});
