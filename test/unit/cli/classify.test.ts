import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CacheOutcome } from '../../../generated/verdict/v1/classification.js';
import type { ClassifyStreamRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { COMMANDS } from '../../../src/cli/commands.js';
import { run } from '../../../src/cli/run.js';
import {
  type Behaviour,
  classification,
  grpcError,
  richStatus,
  startTestServer,
} from '../client/test-server.js';
import { type FakeContext, fakeContext } from './fake-context.js';

const dir = mkdtempSync(join(tmpdir(), 'verdict-classify-'));
const open: { close(): void }[] = [];
after(() => {
  for (const server of open) server.close();
  rmSync(dir, { recursive: true });
});

async function classify(
  argv: readonly string[],
  { behaviour = {}, context = fakeContext() }: { behaviour?: Behaviour; context?: FakeContext } = {},
) {
  const server = await startTestServer(behaviour);
  open.push(server);
  const commandLine = { version: '0', commands: COMMANDS, serve: async () => 0 };
  const code = await run(['classify', '--address', server.address, ...argv], commandLine, context);
  const json = () =>
    context
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, json, out: context.out(), err: context.err() };
}

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

/** Half of the rows right: the test server says POSITIVE, index 1, to everything. */
function ratings(name: string, count: number): string {
  return file(
    name,
    `sentence\tlabel\n${Array.from({ length: count }, (_, n) => `text ${n}\t${n % 2}`).join('\n')}\n`,
  );
}

const refused = {
  outcome: {
    $case: 'error' as const,
    value: richStatus(status.INVALID_ARGUMENT, 'is blank', { reason: 'INVALID_FIELD' }),
  },
};

test('One text in a pipe is one line of JSON', async () => {
  const { code, json, err } = await classify(['hello']);
  assert.equal(code, 0);
  assert.equal(err, '');
  const [line] = json();
  assert.equal(line?.text, 'hello');
  assert.equal(line?.label, 'POSITIVE');
  assert.equal(line?.cache, 'miss');
});

test('One text on a terminal is a table with what is known of the answer', async () => {
  const { out } = await classify(['hello'], { context: fakeContext({ isTTY: true }) });
  assert.equal(out, 'POSITIVE  0.7500\nsentiment v1, 5 tokens, cache miss, 6.0 ms on the server\n');
});

test('--json on a terminal is JSON all the same', async () => {
  const { json } = await classify(['hello', '--json'], { context: fakeContext({ isTTY: true }) });
  assert.equal(json()[0]?.label, 'POSITIVE');
});

test('Options and a pair go to the server', async () => {
  let request: unknown;
  await classify(
    [
      'yes',
      '--pair',
      'no',
      '--model',
      'nli',
      '--version',
      '2',
      '--top-k',
      '3',
      '--activation',
      'none',
      '--cache',
      'bypass',
    ],
    {
      behaviour: {
        classify: (call) => {
          request = call.request;
          return { classification: classification() };
        },
      },
    },
  );
  assert.deepEqual(request, {
    model: 'nli',
    version: '2',
    input: { $case: 'pair', value: { text: 'yes', textPair: 'no' } },
    options: { topK: 3, minScore: undefined, activation: 3, truncation: 0, cache: 1 },
  });
});

test('A text that the server refuses is a failed text: exit code 1', async () => {
  const { code, json } = await classify([' '], {
    behaviour: {
      classify: () => grpcError(status.INVALID_ARGUMENT, 'text: is blank', { reason: 'INVALID_FIELD' }),
    },
  });
  assert.equal(code, 1);
  assert.deepEqual(json()[0]?.error, {
    code: 'INVALID_ARGUMENT',
    message: 'text: is blank',
    reason: 'INVALID_FIELD',
  });
});

test('A call that the server refuses is exit code 3, with what to do', async () => {
  const { code, out, err } = await classify(['x', '--model', 'nope'], {
    behaviour: {
      classify: () => grpcError(status.NOT_FOUND, 'there is no model nope', { reason: 'MODEL_NOT_FOUND' }),
    },
  });
  assert.equal(code, 3);
  assert.equal(out, '');
  assert.match(err, /NOT_FOUND: there is no model nope/);
  assert.match(err, /verdict models list/);
});

for (const stream of [[], ['--stream']]) {
  const way = stream.length > 0 ? 'over one stream' : 'in batches';

  test(`A labelled file ${way} gives a line per row, in order, and the accuracy`, async () => {
    let calls = 0;
    const behaviour: Behaviour = {
      batchClassify: ({ inputs }) => {
        calls++;
        return {
          results: inputs.map(() => ({
            outcome: { $case: 'classification', value: classification({ cache: CacheOutcome.LRU }) },
          })),
        };
      },
    };
    const { code, json, err } = await classify(['--input', ratings('a.tsv', 1000), ...stream], { behaviour });
    assert.equal(code, 0);
    assert.deepEqual(
      json().map(({ index, text, expected, correct }) => [index, text, expected, correct]),
      Array.from({ length: 1000 }, (_, n) => [n, `text ${n}`, String(n % 2), n % 2 === 1]),
    );
    assert.match(err, /^1,000 texts in .* texts\/s$/m);
    assert.match(err, /^accuracy {3}50\.00 % \(500 of 1,000 labelled\)$/m);
    if (stream.length > 0) assert.match(err, /0 cache hits .* 1,000 computed/);
    else assert.match(err, /1,000 cache hits \(memory 1,000, Redis 0\), 0 computed/);
    assert.equal(calls, stream.length > 0 ? 0 : 32);
  });
}

test('Rows that fail are counted by their code and end with 1', async () => {
  const { code, json, err } = await classify(['--input', ratings('b.tsv', 3)], {
    behaviour: {
      batchClassify: () => ({
        results: [refused, { outcome: { $case: 'classification', value: classification() } }, refused],
      }),
    },
  });
  assert.equal(code, 1);
  assert.match(err, /^failed {5}2 \(INVALID_ARGUMENT 2\)$/m);
  assert.deepEqual(json()[0]?.error, {
    code: 'INVALID_ARGUMENT',
    message: 'is blank',
    reason: 'INVALID_FIELD',
  });
});

test('On a terminal a file is shown by its first rows; --output takes them all', async () => {
  const input = ratings('c.tsv', 25);
  const screen = await classify(['--input', input], { context: fakeContext({ isTTY: true }) });
  const lines = screen.out.trimEnd().split('\n');
  assert.equal(lines.length, 11);
  assert.equal(lines[0], 'POSITIVE  0.7500  text 0');
  assert.match(lines[10] ?? '', /15 more/);
  const output = join(dir, 'c.jsonl');
  const silent = await classify(['--input', input, '--output', output], {
    context: fakeContext({ isTTY: true }),
  });
  assert.equal(silent.out, '');
  assert.equal(readFileSync(output, 'utf8').trimEnd().split('\n').length, 25);
});

test('Standard input is a text per line', async () => {
  const { json } = await classify(['--input', '-', '--stream'], {
    context: fakeContext({ stdin: 'one\ntwo\n' }),
  });
  assert.deepEqual(
    json().map(({ text }) => text),
    ['one', 'two'],
  );
});

test('A call that fails midway keeps what was answered, says how far it came, and ends with 3', async () => {
  const { code, json, err } = await classify(['--stream', '--input', ratings('d.tsv', 50)], {
    behaviour: {
      classifyStream: (call) => {
        let index = 0;
        call.on('data', (request: ClassifyStreamRequest) => {
          if (request.input === undefined) return;
          if (index < 5) {
            call.write({ id: '', index, outcome: { $case: 'classification', value: classification() } });
          } else if (index === 5) {
            call.emit(
              'error',
              grpcError(status.UNAVAILABLE, 'the server is going down', { reason: 'DRAINING' }),
            );
          }
          index++;
        });
      },
    },
  });
  assert.equal(code, 3);
  assert.equal(json().length, 5);
  assert.match(err, /^5 texts in/m);
  assert.match(err, /UNAVAILABLE: the server is going down/);
});

for (const stream of [[], ['--stream']]) {
  test(`Ctrl-C ends the command with 130 while it waits for input: ${stream.join('') || 'batches'}`, async () => {
    const context = fakeContext();
    const running = classify(['--input', '-', ...stream], { context });
    setImmediate(() => context.interrupt());
    const { code } = await running;
    assert.equal(code, 130);
  });
}

test('Ctrl-C cancels a call under way', async () => {
  const context = fakeContext();
  const { code, err } = await classify(['x'], {
    context,
    behaviour: {
      classify: () => {
        context.interrupt();
        return undefined;
      },
    },
  });
  assert.equal(code, 130);
  assert.equal(err, '');
});

test('A reader that goes away ends the command quietly', async () => {
  const stdout = new Writable({
    write: (_chunk, _encoding, callback) =>
      callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });
  const { code } = await classify(['--input', ratings('e.tsv', 500), '--stream'], {
    context: fakeContext({ stdout }),
  });
  assert.equal(code, 0);
});

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

for (const way of [[], ['--stream']]) {
  test(`A full disk behind standard output is told, and is exit code 74: ${way.join('') || 'batches'}`, async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, callback) =>
        callback(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' })),
    });
    const { code, err } = await classify(['--input', ratings('full.tsv', 500), ...way], {
      context: fakeContext({ stdout }),
    });
    assert.equal(code, 74);
    assert.match(err, /cannot write to standard output: the disk is full \(ENOSPC\)/);
  });
}

test('--output - is standard output, as JSON lines', async () => {
  const { json } = await classify(['hello', '--output', '-'], { context: fakeContext({ isTTY: true }) });
  assert.equal(json()[0]?.label, 'POSITIVE');
});

for (const [argv, message] of [
  [[], /give a text, or a file with --input/],
  [['x', '--input', 'y.tsv'], /not both/],
  [['a', 'b', '--pair', 'c'], /exactly one text/],
  [['--input', 'y.tsv', '--output', './y.tsv'], /overwrite/],
  [['x', '--tls-cert', 'c.pem'], /--tls-cert and --tls-key must be given together/],
  [['x', '--metadata', 'novalue'], /KEY=VALUE/],
  [['x', '--tls-ca', '/absent.pem'], /cannot read \/absent\.pem/],
  [['x', '--timeout-ms', '3000000000'], /milliseconds/],
] as const) {
  test(`Wrong usage is exit code 2: ${argv.join(' ')}`, async () => {
    const { code, err } = await classify(argv);
    assert.equal(code, 2);
    assert.match(err, message);
  });
}
