import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { LineWriter } from '../../../../src/cli/output/line-writer.js';

const dir = mkdtempSync(join(tmpdir(), 'verdict-lines-'));
after(() => rmSync(dir, { recursive: true }));

const never = new AbortController().signal;

test('Lines reach a file before close resolves', async () => {
  const path = join(dir, 'out.jsonl');
  const writer = await LineWriter.toFile(path, never);
  for (let n = 0; n < 10_000; n++) await writer.write(`line ${n}`);
  await writer.close();
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines.length, 10_001);
  assert.equal(lines[9_999], 'line 9999');
});

test('A pipe is waited for until somebody reads, and gets all lines', async () => {
  const path = join(dir, 'pipe');
  execFileSync('mkfifo', [path]);
  const opening = LineWriter.toFile(path, never);
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const read = text(reader.stdout);
  const writer = await opening;
  for (let n = 0; n < 10_000; n++) await writer.write(`line ${n}`);
  await writer.close();
  const lines = (await read).split('\n');
  assert.deepEqual([lines.length, lines[9_999]], [10_001, 'line 9999']);
});

test('The wait for a reader of a pipe can be given up', async () => {
  const path = join(dir, 'unread');
  execFileSync('mkfifo', [path]);
  const controller = new AbortController();
  const opening = LineWriter.toFile(path, controller.signal);
  controller.abort();
  await assert.rejects(opening, { name: 'AbortError' });
});

test('A file that cannot be made is named', async () => {
  await assert.rejects(LineWriter.toFile(join(dir, 'no', 'such', 'folder'), never), {
    name: 'UsageError',
    message: /cannot write .*there is no such file or directory \(ENOENT\)/,
  });
});

test('Writing waits while the reader takes nothing, and leaves no listener behind', async () => {
  const taken: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, callback) {
      taken.push(callback);
    },
  });
  const writer = LineWriter.to(slow);
  const before = slow.listenerCount('drain') + slow.listenerCount('close') + slow.listenerCount('error');
  let written = false;
  const writing = writer.write('a').then(() => {
    written = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written, false);
  taken.shift()?.();
  await writing;
  assert.equal(
    slow.listenerCount('drain') + slow.listenerCount('close') + slow.listenerCount('error'),
    before,
  );
});

test('A reader that has gone is told apart from everything else, also while writing waits', async () => {
  const gone = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, callback) {
      setImmediate(() => callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })));
    },
  });
  const writer = LineWriter.to(gone);
  await assert.rejects(writer.write('a'), { name: 'OutputClosedError' });
  await assert.rejects(writer.write('b'), { name: 'OutputClosedError' });
});

for (const code of ['ENOSPC', 'EIO', 'EBADF']) {
  test(`A failure that is not a reader who left is one of the output: ${code}`, async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, callback) => callback(Object.assign(new Error(`write ${code}`), { code })),
    });
    const message = new RegExp(`^cannot write to standard output: .*\\(${code}\\)$`);
    await assert.rejects(LineWriter.print(broken, ['a']), { name: 'OutputFailedError', message });
  });
}

test('What is taken and fails only later fails the close', async () => {
  const late = new Writable({
    write: (_chunk, _encoding, callback) =>
      void setImmediate(() => callback(Object.assign(new Error('write EIO'), { code: 'EIO' }))),
  });
  const writer = LineWriter.to(late);
  await writer.write('a');
  await assert.rejects(writer.close(), { name: 'OutputFailedError' });
});

test('A file that cannot be written to its end is said to be incomplete', async () => {
  const writer = await LineWriter.toFile('/dev/full', never);
  await assert.rejects(
    async () => {
      await writer.write('a');
      await writer.close();
    },
    {
      name: 'OutputFailedError',
      message:
        'cannot write to /dev/full: the disk is full (ENOSPC); the file is incomplete, it ends after 0 bytes',
    },
  );
});
