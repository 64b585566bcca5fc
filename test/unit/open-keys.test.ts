import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openKeys } from '../../src/app/open-keys.js';
import { TestKeyFile } from '../support/key-files.js';
import { temporaryFolder } from '../support/temporary-folder.js';

it('a key that expires ends its calls then, not at the next look at the file', async (t) => {
  const file = new TestKeyFile(temporaryFolder(t));
  const key = file.add('brief', { expires: '2030-01-01T00:00:02Z' });
  file.write();
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.parse('2030-01-01T00:00:00Z') });
  const keys = await openKeys({ keysFile: file.path }, {});
  assert.ok(keys);
  const grant = keys.authenticator.authenticate({ authorization: `Bearer ${key}`, apiKey: undefined });
  const ends: unknown[] = [];
  keys.authenticator.onChange(() =>
    assert.throws(
      () => grant.renew(),
      ({ reason }: { reason?: unknown }) => ends.push(reason) > 0,
    ),
  );
  keys.start();
  t.after(() => keys.stop());
  t.mock.timers.tick(1_900);
  assert.deepEqual(ends, []);
  t.mock.timers.tick(600);
  assert.deepEqual(ends, ['EXPIRED_CREDENTIALS']);
});
