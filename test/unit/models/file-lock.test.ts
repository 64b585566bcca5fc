import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FileLock, LockedError } from '../../../src/models/file-lock.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const PATIENT = { abandonedMs: 2 ** 30, waitMs: 2 ** 30 };

describe('a lock beside a file', () => {
  it('is held by one at a time, and is gone after the last', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    let held = 0;
    const task = async () => {
      assert.equal(++held, 1);
      await new Promise(setImmediate);
      held--;
    };
    await Promise.all(Array.from({ length: 8 }, () => new FileLock(path, PATIENT).hold(task)));
    const failing = new FileLock(path, PATIENT).hold(() => Promise.reject(new Error('no')));
    await assert.rejects(failing, /no/);
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  it('that a killed process has left is taken away, whatever its age says', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    writeFileSync(`${path}.lock`, '');
    const lock = new FileLock(path, { ...PATIENT, abandonedMs: 0 });
    assert.equal(await lock.hold(async () => 'done'), 'done');
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  it('is waited for no longer than a limit, or than the caller does', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    writeFileSync(`${path}.lock`, '');
    const never = async () => assert.fail('the lock is held');
    await assert.rejects(new FileLock(path, { ...PATIENT, waitMs: 0 }).hold(never), LockedError);
    const caller = new AbortController();
    const waiting = new FileLock(path, PATIENT).hold(never, caller.signal);
    caller.abort(new Error('left'));
    await assert.rejects(waiting, /left/);
    assert.ok(existsSync(`${path}.lock`), 'it is still the lock of whoever holds it');
  });

  it('tells its holder that others have taken it for abandoned, and stays theirs', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const lock = new FileLock(path, PATIENT);
    const [taken, checked] = [new AbortController(), new AbortController()];
    const thief = new FileLock(path, { ...PATIENT, abandonedMs: 0 });
    let theft: Promise<void> | undefined;
    await lock.hold(async () => {
      await lock.check();
      theft = thief.hold(async () => {
        taken.abort();
        await once(checked.signal, 'abort');
        await thief.check();
      });
      await once(taken.signal, 'abort');
      await assert.rejects(lock.check(), LockedError);
    });
    checked.abort();
    await theft;
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  it('cannot be had where there is no folder', async (t) => {
    const lock = new FileLock(join(temporaryFolder(t), 'none/state.json'), PATIENT);
    await assert.rejects(
      lock.hold(async () => {}),
      { code: 'ENOENT' },
    );
  });
});
