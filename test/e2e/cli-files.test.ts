import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { Service } from '../support/service.js';

const reviews = [
  ['This movie was absolutely fantastic!', '1'],
  ['This was terrible.', '0'],
  ['A wonderful film with great actors.', '1'],
  ['The worst film that I have seen.', '0'],
] as const;

/** Rows enough for several calls and a full stream window, each a text of its own. */
const rows = Array.from({ length: 200 }, (_, number) => {
  const [text, label] = reviews[number % reviews.length] ?? reviews[0];
  return { text: `${text} (${number})`, label };
});

describe('verdict classify --input', () => {
  let service: Service;
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdict-cli-'));
    service = await Service.start(['sentiment', 'pairs']);
  });

  after(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  async function file(name: string, contents: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, contents);
    return path;
  }

  function classify(args: readonly string[], input = ''): Promise<Ended> {
    const all = ['classify', ...args, '--address', service.server.address];
    return runToEnd('dist/src/cli/main.js', all, { input });
  }

  const jsonLines = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('--stream sends a labelled file over one stream, tells its accuracy, and the second time runs nothing', async () => {
    const path = await file(
      'reviews.tsv',
      `sentence\tlabel\n${rows.map(({ text, label }) => `${text}\t${label}\n`).join('')}`,
    );
    const first = await classify(['--stream', '--input', path]);
    assert.equal(first.code, 0, first.stderr);
    const results = jsonLines(first.stdout);
    assert.deepEqual(
      results.map(({ index, text, expected }) => [index, text, expected]),
      rows.map(({ text, label }, index) => [index, text, label]),
    );
    const right = results.filter(({ correct }) => correct === true).length;
    assert.match(first.stderr, /^200 texts in .* texts\/s$/m);
    assert.ok(first.stderr.includes(`${(right / 2).toFixed(2)} % (${right} of 200 labelled)`), first.stderr);
    assert.match(first.stderr, /^cache +0 cache hits \(memory 0, Redis 0\), 200 computed/m);
    const calls = await service.server.metric('grpc_server_started_total', { grpc_method: 'ClassifyStream' });
    assert.equal(calls, 1);

    const batches = await service.server.metric('verdict_batch_items_count', { model: 'sentiment' });
    const second = await classify(['--stream', '--input', path]);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /^cache +200 cache hits \(memory 200, Redis 0\), 0 computed$/m);
    assert.equal(await service.server.metric('verdict_batch_items_count', { model: 'sentiment' }), batches);
    const answers = (text: string) => jsonLines(text).map(({ label, score }) => [label, score]);
    assert.deepEqual(answers(second.stdout), answers(first.stdout));
  });

  it('reads .csv with quotes and line ends inside, and pairs by their columns', async () => {
    const path = await file(
      'pairs.csv',
      'premise,hypothesis,label\n"The team won, at last.","It\nwon",entailment\nA ""b"" c,d,neutral\n'.replace(
        'A ""b"" c',
        '"A ""b"" c"',
      ),
    );
    const { code, stdout, stderr } = await classify(['--model', 'pairs', '--input', path]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      jsonLines(stdout).map(({ text, textPair, expected }) => [text, textPair, expected]),
      [
        ['The team won, at last.', 'It\nwon', 'entailment'],
        ['A "b" c', 'd', 'neutral'],
      ],
    );
    assert.match(stderr, /of 2 labelled/);
  });

  it('reads .jsonl, and writes --output in place of standard output', async () => {
    const path = await file(
      'texts.jsonl',
      `${JSON.stringify({ text: '日本の料理 😀' })}\n${JSON.stringify('a bare string')}\n`,
    );
    const output = join(folder, 'answers.jsonl');
    const { code, stdout, stderr } = await classify(['--stream', '--input', path, '--output', output]);
    assert.deepEqual([code, stdout], [0, ''], stderr);
    assert.deepEqual(
      jsonLines(await readFile(output, 'utf8')).map(({ text }) => text),
      ['日本の料理 😀', 'a bare string'],
    );
  });

  it('reads lines of standard input for -', async () => {
    for (const way of [[], ['--stream'], ['--stream', '--order', 'completion']]) {
      const { code, stdout, stderr } = await classify([...way, '--input', '-'], 'one\n\ntwo\r\nthree');
      assert.equal(code, 0, stderr);
      const texts = jsonLines(stdout).map(({ text }) => String(text));
      assert.deepEqual(texts.sort(), ['one', 'three', 'two']);
    }
  });

  it('goes on after rows that fail, tells them apart, and ends with 1', async () => {
    const path = await file('mixed.txt', `good\n${'x'.repeat(8193)}\nfine\n`);
    for (const way of [[], ['--stream']]) {
      const { code, stdout, stderr } = await classify([...way, '--input', path]);
      assert.equal(code, 1);
      assert.deepEqual(
        jsonLines(stdout).map(({ error }) => (error as { code: string } | undefined)?.code),
        [undefined, 'INVALID_ARGUMENT', undefined],
      );
      assert.match(stderr, /^failed +1 \(INVALID_ARGUMENT 1\)$/m);
    }
  });
});
