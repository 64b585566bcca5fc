import assert from 'node:assert/strict';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LockFile } from '../../../src/sources/lock-file.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const patient = new AbortController().signal;

describe('a lock file', () => {
  it('is held by one at a time, and goes to who waits', async (t) => {
    const path = join(temporaryFolder(t), 'folder/lock');
    const first = await LockFile.acquire(path, { signal: patient });
    const order: string[] = [];
    let onWait = () => {};
    const waits = new Promise<void>((resolve) => {
      onWait = resolve;
    });
    const second = LockFile.acquire(path, { signal: patient, onWait }).then((lock) => {
      order.push('second');
      return lock;
    });
    await waits;
    order.push('released');
    await first.release();
    await (await second).release();
    assert.deepEqual(order, ['released', 'second']);
    assert.ok(!existsSync(path));
  });

  it('is taken over once nobody touches it, and is then no longer the former owner’s to release', async (t) => {
    const path = join(temporaryFolder(t), 'lock');
    const lost = await LockFile.acquire(path, { signal: patient });
    const next = await LockFile.acquire(path, { signal: patient, staleMs: 0 });
    const owner = readFileSync(path, 'utf8');
    await lost.release();
    assert.equal(readFileSync(path, 'utf8'), owner);
    await next.release();
    assert.ok(!existsSync(path));
  });

  it('is taken over from a process that left it long ago, or empty, whatever its clock said', async (t) => {
    const path = join(temporaryFolder(t), 'lock');
    writeFileSync(path, '');
    utimesSync(path, new Date('2100-01-01'), new Date('2100-01-01'));
    const lock = await LockFile.acquire(path, { signal: patient, staleMs: 0 });
    await lock.release();
  });

  it('is not waited for after the signal', async (t) => {
    const path = join(temporaryFolder(t), 'lock');
    const lock = await LockFile.acquire(path, { signal: patient });
    const leaving = new AbortController();
    const waiting = LockFile.acquire(path, {
      signal: leaving.signal,
      onWait: () => leaving.abort(new Error('left')),
    });
    await assert.rejects(waiting, { name: 'AbortError' });
    assert.ok(existsSync(path));
    await lock.release();
  });
});
