import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { jsonLine } from '../../../../src/cli/output/json-line.js';
import { RESULT_FIELDS } from '../../../../src/cli/output/result-fields.js';
import { answered } from '../../../../src/cli/row-result.js';
import { memberSources } from '../../../../src/cli/rows/json-members.js';
import { outputNames, readKeep } from '../../../../src/cli/rows/keep.js';
import { type InputFormat, openRows } from '../../../../src/cli/rows/read-rows.js';
import { collect, readingOf } from './reading.js';

/** What goes through of each row, as JSON. */
async function kept(input: string, format: InputFormat, ...flags: string[]): Promise<string[]> {
  const reading = readingOf({ keep: readKeep(flags) });
  const { rows } = await openRows('-', Readable.from([Buffer.from(input)]), reading, format);
  return (await collect(rows)).map(({ kept }) => kept.map(([name, json]) => `${name}=${json}`).join(' '));
}

const csv = 'ID,text,label,note\n007,good,1,"a ""b"""\n';

for (const [flags, found] of [
  [[], 'ID="007"'],
  [['none'], ''],
  [['note'], 'ID="007" note="a \\"b\\""'],
  [['4'], 'ID="007" note="a \\"b\\""'],
  [['label,text'], 'ID="007" input_text="good" input_label="1"'],
  [['all'], 'ID="007" note="a \\"b\\""'],
  [['all', 'label'], 'ID="007" input_label="1" note="a \\"b\\""'],
] as const) {
  test(`Columns of a table go through: --keep ${flags.join(' --keep ')}`, async () => {
    assert.deepEqual(await kept(csv, 'csv', ...flags), [found]);
  });
}

test('A column that is not there is named, and so is a wrong list', async () => {
  await assert.rejects(kept(csv, 'csv', 'nope'), {
    message: /^--keep: there is no column "nope".*id, text, label, note/,
  });
  assert.throws(() => readKeep(['none', 'a']), { message: /--keep none/ });
  assert.throws(() => readKeep(['a,,b']), { message: /--keep takes/ });
});

test('Columns without names go by their positions', async () => {
  assert.deepEqual(await kept('good\tx\ty\n', 'tsv', 'all'), ['column2="x" column3="y"']);
});

test('Members of JSON go through as they are written, numbers to the last digit', async () => {
  const line =
    '{"id": 12345678901234567890, "text":"a", "at": 1.0, "tags": [ {"x": "}]\\"" } , 2 ], "none": null}';
  assert.deepEqual(await kept(line, 'jsonl'), ['id=12345678901234567890']);
  assert.deepEqual(await kept(line, 'jsonl', 'all'), [
    'id=12345678901234567890 at=1.0 tags=[ {"x": "}]\\"" } , 2 ] none=null',
  ]);
  assert.deepEqual(await kept('{"id":"row-77","text":"a"}\n{"text":"b"}\n"c"\n', 'jsonl'), [
    'id="row-77"',
    '',
    '',
  ]);
});

test('A malformed row keeps its id where it has one', async () => {
  assert.deepEqual(await kept('{"id":7,"text":null}', 'jsonl'), ['id=7']);
});

test('The sources of members are those that JSON.parse reads', () => {
  const value = {
    '': 0,
    'a"b\\': 'c\\"',
    n: -1.5e3,
    o: { p: [1, [], {}], q: '{' },
    t: true,
    f: false,
    z: null,
  };
  for (const json of [
    JSON.stringify(value),
    JSON.stringify(value, undefined, 2),
    ` ${JSON.stringify(value)}\t`,
  ]) {
    const parsed = Object.fromEntries(
      [...memberSources(json)].map(([name, source]) => [name, JSON.parse(source)]),
    );
    assert.deepEqual(parsed, value);
  }
  assert.equal(memberSources('{ }').size, 0);
});

test('No two columns have one name in the output, and none has that of a result field', () => {
  const names = ['label', 'input_label', 'note', 'note', 'note_2', 'index'];
  const found = outputNames(names);
  assert.deepEqual(found, ['input_label', 'input_label_2', 'note', 'note_3', 'note_2', 'input_index']);
  assert.ok(found.every((name) => !RESULT_FIELDS.has(name)));
});

test('Every field of a result is reserved, and kept columns come before them', () => {
  const classification = {
    label: 'POSITIVE',
    score: 1,
    predictions: [{ label: 'POSITIVE', score: 1, index: 1 }],
    model: 'm',
    version: '1',
    alias: '',
    tokenCount: 3,
    truncated: false,
    cache: 'miss',
    timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, totalMs: 0, batchSize: 1 },
  } as const;
  const row = {
    text: 'a',
    textPair: 'b',
    expected: '1',
    line: 2,
    kept: [['id', '10000000000000000001']],
    endOffset: 3,
  } as const;
  const line = jsonLine(answered({ row, index: 0 }, { ok: true, classification }));
  assert.ok(line.startsWith('{"id":10000000000000000001,"index":0,'), line);
  const fields = Object.keys(JSON.parse(line)).filter((name) => name !== 'id');
  assert.deepEqual(new Set([...fields, 'error']), RESULT_FIELDS);
});
