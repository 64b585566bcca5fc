import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { Service } from '../support/service.js';

describe('verdict classify --input, with rows that are not as they should be', () => {
  let service: Service;
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdict-rows-'));
    service = await Service.start(['topics']);
  });

  after(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  async function classify(name: string, contents: string | Buffer, ...flags: string[]): Promise<Ended> {
    const path = join(folder, name);
    await writeFile(path, contents);
    const args = ['classify', '--input', path, '--address', service.server.address, ...flags];
    return runToEnd('dist/src/cli/main.js', args);
  }

  const jsonLines = ({ stdout }: Ended) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  const good = Array.from({ length: 3000 }, (_, n) => JSON.stringify({ id: `row-${n}`, text: `match ${n}` }));

  for (const way of [[], ['--stream'], ['--stream', '--order', 'completion']]) {
    it(`a malformed line behind 3,000 good ones costs none of them (${way.join(' ') || 'batches'})`, async () => {
      const ended = await classify('tail.jsonl', `${good.join('\n')}\n{"id": "row-3000", "te\n`, ...way);
      assert.equal(ended.code, 3, ended.stderr);
      const lines = jsonLines(ended).toSorted((a, b) => Number(a.index) - Number(b.index));
      assert.equal(lines.length, 3001);
      assert.deepEqual(
        lines.slice(0, 3000).map(({ id, line, label }) => [id, line, typeof label]),
        good.map((_, n) => [`row-${n}`, n + 1, 'string']),
      );
      const { line, error } = lines[3000] ?? {};
      assert.deepEqual([line, (error as { reason: string }).reason], [3001, 'MALFORMED_ROW']);
      assert.match(ended.stderr, /^3,000 texts in/m);
      assert.match(
        ended.stderr,
        /^malformed {2}1 row not sent; first: line 3001 of the input is not valid JSON$/m,
      );
    });

    it(`--strict stops there, after what is under way (${way.join(' ') || 'batches'})`, async () => {
      const lines = [...good.slice(0, 300), '{', ...good.slice(300)];
      const ended = await classify('strict.jsonl', lines.join('\n'), '--strict', ...way);
      assert.equal(ended.code, 3, ended.stderr);
      assert.equal(jsonLines(ended).filter(({ label }) => label !== undefined).length, 300);
      assert.match(ended.stderr, /stopped at line 301 \(--strict\)/);
    });
  }

  for (const way of [[], ['--stream']]) {
    it(`a text too long to be sent costs no other row (${way.join(' ') || 'batches'})`, async () => {
      const texts = [
        ...good.slice(0, 100),
        JSON.stringify({ text: '長'.repeat(700_000) }),
        ...good.slice(100, 200),
      ];
      const ended = await classify('long.jsonl', texts.join('\n'), ...way);
      assert.equal(ended.code, 3, ended.stderr);
      const lines = jsonLines(ended);
      assert.equal(lines.filter(({ label }) => label !== undefined).length, 200);
      const { line, error } = lines[100] ?? {};
      assert.deepEqual(
        [line, error],
        [
          101,
          {
            code: 'INVALID_ARGUMENT',
            message: 'line 101 of the input has a text of 700,000 characters; the server takes at most 8,192',
            reason: 'MALFORMED_ROW',
          },
        ],
      );
    });
  }

  it('rows join back by their ids and columns, whatever separates them', async () => {
    const ended = await classify(
      'export.csv',
      'ID;text;label;Datum\n007;"match; goal";sports;1.2.\n',
      '--keep',
      'all',
    );
    assert.equal(ended.code, 0, ended.stderr);
    const [{ ID, text, label, expected, Datum } = {}] = jsonLines(ended);
    assert.deepEqual([ID, text, label, expected, Datum], ['007', 'match; goal', 'sports', 'sports', '1.2.']);
    assert.match(ended.stderr, /^1 text in .*\n.*\(1 of 1 labelled\)/);
  });

  it('bytes of another encoding are refused with their line, or read with --encoding', async () => {
    const bytes = Buffer.from('match\ncafé dinner\n', 'latin1');
    const refused = await classify('latin.txt', bytes);
    assert.equal(refused.code, 3);
    assert.ok(!refused.stdout.includes('\uFFFD'));
    assert.match(refused.stderr, /line 2 of the input is not valid UTF-8 \(--encoding names another/);
    const read = await classify('latin.txt', bytes, '--encoding', 'latin1');
    assert.equal(read.code, 0, read.stderr);
    assert.deepEqual(
      jsonLines(read).map(({ text }) => text),
      ['match', 'café dinner'],
    );
  });

  it('a directory is told to be one', async () => {
    const { code, stderr } = await runToEnd('dist/src/cli/main.js', ['classify', '--input', folder]);
    assert.equal(code, 2);
    assert.ok(stderr.includes(`${folder} is a directory; --input takes a file`), stderr);
  });
});
