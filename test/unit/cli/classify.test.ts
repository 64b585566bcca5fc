import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CacheOutcome } from '../../../generated/verdict/v1/classification.js';
import type { ClassifyStreamRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { type Behaviour, classification, grpcError, richStatus } from '../client/test-server.js';
import { classify, dir, file, ratings } from './classify-command.js';
import { fakeContext } from './fake-context.js';

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

test('A table leaves out what the server does not tell this caller', async () => {
  const hidden = classification({ cache: CacheOutcome.UNSPECIFIED, timings: undefined });
  const { out } = await classify(['hello'], {
    context: fakeContext({ isTTY: true }),
    behaviour: { classify: () => ({ classification: hidden }) },
  });
  assert.equal(out, 'POSITIVE  0.7500\nsentiment v1, 5 tokens\n');
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

test('A summary leaves out where answers came from if the server does not tell', async () => {
  const value = classification({ cache: CacheOutcome.UNSPECIFIED, timings: undefined });
  const { code, err } = await classify(['--input', ratings('hidden.tsv', 3)], {
    behaviour: {
      batchClassify: ({ inputs }) => ({
        results: inputs.map(() => ({ outcome: { $case: 'classification', value } })),
      }),
    },
  });
  assert.equal(code, 0);
  assert.match(err, /^3 texts in /);
  assert.doesNotMatch(err, /^cache/m);
});

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

for (const [title, link] of [
  ['symbolic', symlinkSync],
  ['hard', linkSync],
] as const) {
  test(`--output does not empty the input through a ${title} link`, async () => {
    const input = file(`${title}.txt`, 'one\n');
    const output = join(dir, `${title}.jsonl`);
    link(input, output);
    const { code, err } = await classify(['--input', input, '--output', output]);
    assert.deepEqual([code, readFileSync(input, 'utf8')], [2, 'one\n']);
    assert.match(err, /overwrite/);
  });
}

test('Ctrl-C ends the command while it waits for the reader of a pipe', async () => {
  const pipe = join(dir, 'pipe.jsonl');
  execFileSync('mkfifo', [pipe]);
  const context = fakeContext();
  const running = classify(['hello', '--output', pipe], { context });
  setTimeout(() => context.interrupt(), 100);
  assert.equal((await running).code, 130);
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
