import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { readKeysApart } from '../../src/app/read-keys-apart.js';
import { random256 } from '../../src/auth/key-format.js';

const name = 'keys.yaml';

describe('a key file that is read in a thread of its own', () => {
  it('says what it says in this one', async () => {
    const [secret, hash] = [random256(), random256()];
    const content = `secret: ${secret}\nkeys:\n  - { id: a, hash: ${hash}, scopes: [classify] }\n`;
    assert.deepEqual(await readKeysApart({ content, name }), {
      file: {
        secret,
        keys: [
          {
            ...{ id: 'a', hash, scopes: ['classify'], models: undefined, limits: undefined },
            ...{ cache: undefined },
            ...{ weight: 1, expiresAt: Infinity },
          },
        ],
      },
    });
    assert.deepEqual(await readKeysApart({ content: `${content}other: 1`, name }), {
      problems: ['keys.yaml: other is not a field; there are secret, keys.'],
    });
  });

  it('does not keep this one from its work, however long it takes', async () => {
    let isRead = false;
    const reading = readKeysApart({ content: '- a\n'.repeat(10_000), name }).finally(() => {
      isRead = true;
    });
    let turns = 0;
    for (; !isRead; turns++) await setImmediate();
    assert.deepEqual(await reading, { problems: ['keys.yaml: must be a mapping of secret and keys.'] });
    assert.ok(turns > 100, `${turns}`);
  });

  it('is given up after a time, and counts as one that cannot be used', async () => {
    assert.deepEqual(await readKeysApart({ content: '', name }, 1), {
      problems: ['keys.yaml takes too much time or memory to read.'],
    });
  });
});
