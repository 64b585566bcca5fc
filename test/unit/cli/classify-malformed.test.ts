import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { classification, grpcError } from '../client/test-server.js';
import { classify, dir, file } from './classify-command.js';
import { fakeContext } from './fake-context.js';

const broken = '{"id": "row-78", "text": ';

/** Rows of JSON with ids, of which those at these places, from 0, are broken. */
function jsonRows(name: string, count: number, broken: readonly number[]): string {
  const line = (n: number) => (broken.includes(n) ? '{"id": ' : JSON.stringify({ id: n, text: `text ${n}` }));
  return file(name, `${Array.from({ length: count }, (_, n) => line(n)).join('\n')}\n`);
}

for (const [way, flags] of [
  ['in batches', []],
  ['over one stream', ['--stream']],
] as const) {
  test(`A malformed row ${way} is an error record in its place, and the rest goes on: exit code 3`, async () => {
    const at = [0, 1, 40, 700, 701, 702, 999];
    const input = jsonRows('malformed.jsonl', 1000, at);
    const { code, json, err } = await classify(['--input', input, ...flags]);
    assert.equal(code, 3);
    const lines = json();
    assert.deepEqual(
      lines.map(({ index, line, id, text }) => [index, line, id, text]),
      Array.from({ length: 1000 }, (_, n) =>
        at.includes(n) ? [n, n + 1, undefined, undefined] : [n, n + 1, n, `text ${n}`],
      ),
    );
    assert.deepEqual(lines[40], {
      index: 40,
      line: 41,
      error: {
        code: 'INVALID_ARGUMENT',
        message: 'line 41 of the input is not valid JSON',
        reason: 'MALFORMED_ROW',
      },
    });
    assert.match(err, /^993 texts in/m);
    assert.match(err, /^malformed {2}7 rows not sent; first: line 1 of the input is not valid JSON$/m);
  });

  test(`--strict ${way} stops at the first malformed row, after what is under way is written`, async () => {
    const input = jsonRows('strict.jsonl', 1000, [299, 600]);
    const output = join(dir, 'strict.out.jsonl');
    const { code, err } = await classify(['--strict', '--input', input, '--output', output, ...flags]);
    assert.equal(code, 3);
    const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 300);
    assert.match(lines[298] ?? '', /"id":298.*POSITIVE/);
    assert.match(lines[299] ?? '', /"line":300.*MALFORMED_ROW/);
    assert.match(err, /^299 texts in/m);
    assert.match(err, /stopped at line 300 \(--strict\)/);
    assert.match(err, /strict\.out\.jsonl is incomplete: it holds 300 results/);
  });

  test(`An input that breaks in the middle ${way} has what is under way answered first`, async () => {
    const stdin = Readable.from(
      (function* () {
        for (let n = 0; n < 50; n++) yield Buffer.from(`text ${n}\n`);
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
      })(),
    );
    const { code, json, err } = await classify(['--input', '-', ...flags], {
      context: fakeContext({ stdin }),
    });
    assert.equal(code, 2);
    assert.equal(json().length, 50);
    assert.match(err, /cannot read standard input: the device reports an error \(EIO\)/);
  });

  test(`Nothing but malformed rows ${way}, more than may be under way, come out all`, async () => {
    const input = file('all-broken.jsonl', `${broken}\n`.repeat(5000));
    const { code, json } = await classify(['--window', '8', '--input', input, ...flags]);
    assert.equal(code, 3);
    assert.deepEqual(
      json().map(({ index }) => index),
      Array.from({ length: 5000 }, (_, n) => n),
    );
  });
}

test('In the order of completion malformed rows do not wait for those before them', async () => {
  const input = file('waiting.jsonl', `"first"\n${broken}\n"last"\n`);
  const { json } = await classify(['--stream', '--order', 'completion', '--input', input], {
    behaviour: {
      classifyStream: (call) => {
        const answer = (index: number) =>
          call.write({ id: '', index, outcome: { $case: 'classification', value: classification() } });
        call.on('end', () => {
          answer(1);
          answer(0);
          call.end();
        });
        call.resume();
      },
    },
  });
  assert.deepEqual(
    json().map(({ index }) => index),
    [1, 2, 0],
  );
});

test('A stream that fails while malformed rows wait ends the command', async () => {
  const input = file('failing.jsonl', `"first"\n${`${broken}\n`.repeat(100)}`);
  const { code } = await classify(['--stream', '--window', '4', '--input', input], {
    behaviour: {
      classifyStream: (call) => {
        call.on('data', () =>
          call.emit('error', grpcError(status.UNAVAILABLE, 'going down', { reason: 'DRAINING' })),
        );
      },
    },
  });
  assert.equal(code, 3);
});

test('An id goes through, and a column with the name of a result field under another one', async () => {
  const input = file('ids.csv', 'id;text;label\nrow-77;a, b;1\n');
  const { json, err } = await classify(['--input', input, '--keep', 'label']);
  const [line] = json();
  assert.deepEqual(
    [line?.id, line?.text, line?.input_label, line?.label],
    ['row-77', 'a, b', '1', 'POSITIVE'],
  );
  assert.match(err, /^1 text in/m);
});

test('On a terminal a malformed row is told in the table', async () => {
  const input = file('screen.jsonl', `"fine"\n${broken}\n`);
  const { code, out } = await classify(['--input', input], { context: fakeContext({ isTTY: true }) });
  assert.equal(code, 3);
  assert.match(out, /^MALFORMED +line 2 of the input is not valid/m);
});

test('A batch call that fails costs its own rows: those under way beside it are written', async () => {
  const input = file('beside.txt', Array.from({ length: 320 }, (_, n) => `text ${n}\n`).join(''));
  const { code, json, err } = await classify(['--input', input, '--window', '128'], {
    behaviour: {
      batchClassify: ({ inputs }) => {
        const isSecond = inputs.some(({ input }) => input?.$case === 'text' && input.value === 'text 40');
        if (isSecond)
          return grpcError(status.RESOURCE_EXHAUSTED, 'too large', { reason: 'MESSAGE_TOO_LARGE' });
        return {
          results: inputs.map(() => ({ outcome: { $case: 'classification', value: classification() } })),
        };
      },
    },
  });
  assert.equal(code, 3);
  assert.match(err, /RESOURCE_EXHAUSTED: too large/);
  const indexes = json().map(({ index }) => Number(index));
  assert.ok(indexes.length >= 96, String(indexes.length));
  assert.ok(indexes.every((index) => index < 32 || index >= 64));
});
