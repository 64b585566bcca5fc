import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RunOptions, runToEnd } from '../support/run-to-end.js';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';

/** Every command that writes to standard output. Those that talk to a server are given its address. */
const commands: readonly (readonly string[])[] = [
  ['--help'],
  ['--version'],
  ['classify', '--help'],
  ['serve', '--help'],
  ['models', 'verify', 'test/fixtures/models/topics/1'],
  ['bench', 'simulate', '--streams', '1', '--items', '10'],
  ['classify', 'a match'],
  ['classify', '--input', '-'],
  ['classify', '--stream', '--input', '-'],
  ['models', 'list'],
  ['health'],
];

describe('verdict, when its output cannot be written', () => {
  let service: Service;
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdict-output-'));
    service = await Service.start(['topics']);
  });

  after(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  const run = (args: readonly string[], options: RunOptions) =>
    runToEnd('dist/src/cli/main.js', args, {
      ...options,
      input: 'a match\ndinner today\n',
      env: { VERDICT_ADDRESS: service.server.address },
    });

  for (const [trouble, open] of [
    ['the disk is full (ENOSPC)', () => openSync('/dev/full', 'w')],
    ['it is closed, or not open for this (EBADF)', () => openSync('/dev/null', 'r')],
  ] as const) {
    for (const args of commands) {
      it(`${args.join(' ')} names standard output and ends with 74: ${trouble}`, async () => {
        const stdout = open();
        try {
          const { code, stderr } = await run(args, { stdout });
          assert.equal(code, 74, stderr);
          assert.ok(stderr.includes(`cannot write to standard output: ${trouble}`), stderr);
          assert.ok(!stderr.includes('    at '), stderr);
        } finally {
          closeSync(stdout);
        }
      });
    }
  }

  for (const args of commands) {
    it(`${args.join(' ')} is quiet about a reader who has left`, async () => {
      const { code, stderr } = await run(args, { stdout: 'abandoned' });
      assert.deepEqual([code, stderr], [0, '']);
    });
  }

  it('classify --output names the file that is full, and says that it is incomplete', async () => {
    const { code, stderr } = await run(['classify', '--input', '-', '--output', '/dev/full'], {});
    assert.equal(code, 74);
    assert.match(stderr, /cannot write to \/dev\/full: the disk is full \(ENOSPC\); the file is incomplete/);
  });

  it('classify --output says how much it holds when the server goes away in the middle', async () => {
    const short = await Service.start(['topics']);
    const input = join(folder, 'many.txt');
    const output = join(folder, 'some.jsonl');
    await writeFile(input, Array.from({ length: 20_000 }, (_, n) => `match ${n}\n`).join(''));
    const args = ['classify', '--stream', '--input', input, '--output', output];
    const running = runToEnd('dist/src/cli/main.js', [...args, '--address', short.server.address]);
    await until('results are written', async () => {
      const stats = await stat(output).catch(() => undefined);
      return (stats?.size ?? 0) > 10_000;
    });
    short.server.kill('SIGKILL');
    const { code, stderr } = await running;
    assert.equal(code, 3, stderr);
    const held = (await readFile(output, 'utf8')).trimEnd().split('\n').length;
    assert.ok(held < 20_000);
    await short.stop();
    const [, said = ''] = /some\.jsonl is incomplete: it holds ([\d,]+) results?/.exec(stderr) ?? [];
    assert.equal(Number(said.replaceAll(',', '')), held, stderr);
  });
});
