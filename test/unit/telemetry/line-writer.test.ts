import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LineWriter, type WriteBytes } from '../../../src/telemetry/line-writer.js';

type Done = Parameters<WriteBytes>[2];

describe('LineWriter', () => {
  it('writes every line in order, and gathers them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'verdict-lines-'));
    const fd = openSync(join(folder, 'log'), 'w');
    try {
      const writer = new LineWriter(fd);
      const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} ü\n`);
      for (const line of lines) writer.write(line);
      await writer.close(60_000);
      assert.equal(readFileSync(join(folder, 'log'), 'utf8'), lines.join(''));
      assert.equal(writer.dropped, 0);
    } finally {
      closeSync(fd);
      rmSync(folder, { recursive: true });
    }
  });

  it('has one write under way at a time, and goes on where a write stopped short', async () => {
    const written: Buffer[] = [];
    let underWay = 0;
    const writer = new LineWriter(1, (_fd, bytes, done) => {
      assert.equal(++underWay, 1);
      setImmediate(() => {
        underWay--;
        const some = Math.ceil(bytes.length / 2);
        written.push(Buffer.from(bytes.subarray(0, some)));
        done(null, some);
      });
    });
    writer.write('one\n');
    const closed = writer.close(60_000);
    writer.write('two\n');
    await closed;
    assert.equal(Buffer.concat(written).toString(), 'one\ntwo\n');
  });

  it('tries again when the reader is not ready', async () => {
    let calls = 0;
    const writer = new LineWriter(1, (_fd, bytes, done) => {
      const error = calls++ === 0 ? Object.assign(new Error('busy'), { code: 'EAGAIN' }) : null;
      done(error, bytes.length);
    });
    writer.write('one\n');
    await writer.close(60_000);
    assert.equal(calls, 2);
    assert.equal(writer.dropped, 0);
  });

  it('counts the lines that a closed pipe or a full disk loses, and goes on', async () => {
    const outcomes = ['EPIPE', 'ENOSPC', undefined];
    const writer = new LineWriter(1, (_fd, bytes, done) => {
      const code = outcomes.shift();
      done(code === undefined ? null : Object.assign(new Error(code), { code }), bytes.length);
    });
    for (let round = 0; round < 3; round++) {
      writer.write('a\n');
      writer.write('b\n');
      await writer.close(60_000);
    }
    assert.equal(writer.dropped, 4);
  });

  it('drops lines beyond 4 MiB while the reader stalls, and does not wait for it for ever', async () => {
    let release: Done | undefined;
    let length = 0;
    const writer = new LineWriter(1, (_fd, bytes, done) => {
      length = bytes.length;
      release = done;
    });
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    for (let index = 0; index < 7; index++) writer.write(line);
    assert.equal(writer.dropped, 2, 'one is being written, four wait');
    await writer.close(1);
    assert.equal(writer.dropped, 7, 'what waits is given up');
    assert.equal(writer.isStuck, true, 'a write is still under way');
    writer.write('late\n');
    assert.equal(writer.dropped, 8);
    release?.(null, length);
    await new Promise(setImmediate);
    assert.equal(writer.isStuck, false);
  });

  it('is not stuck if the write that was under way when it gave up returns', async () => {
    const writer = new LineWriter(1, (_fd, _bytes, done) => {
      setTimeout(() => done(Object.assign(new Error('busy'), { code: 'EAGAIN' }), 0), 150);
    });
    writer.write('one\n');
    await writer.close(100);
    assert.deepEqual([writer.dropped, writer.isStuck], [1, false]);
  });

  it('counts the lines of a batch that were written as written when it gives up', async () => {
    const writer = new LineWriter(1, (_fd, bytes, done) => {
      const taken = bytes.length > 6 ? bytes.length - 6 : 0;
      done(taken > 0 ? null : Object.assign(new Error('busy'), { code: 'EAGAIN' }), taken);
    });
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) writer.write(line);
    await writer.close(1);
    assert.equal(writer.dropped, 2, 'of three the line feed was left, and all of four');
    assert.equal(writer.isStuck, false);
  });

  it('writes what waits when the process ends by itself, and ends on a closed pipe too', () => {
    const module = new URL('../../../src/telemetry/line-writer.js', import.meta.url).href;
    const program = `
      const { LineWriter } = await import(${JSON.stringify(module)});
      const { closeSync } = await import('node:fs');
      new LineWriter(1).write('last words\\n');
      if (process.argv.includes('closed')) closeSync(1);
      process.exit(3);`;
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['--input-type=module', '-e', program, ...args], { encoding: 'utf8' });
    const open = run();
    assert.deepEqual([open.status, open.stdout], [3, 'last words\n']);
    const closed = run('closed');
    assert.deepEqual([closed.status, closed.stdout], [3, '']);
  });
});
