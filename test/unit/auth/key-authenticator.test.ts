import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { KeyAuthenticator } from '../../../src/auth/key-authenticator.js';
import { hashOfKey, newKey, random256 } from '../../../src/auth/key-format.js';
import type { KeyEntry, KeyFile } from '../../../src/auth/types.js';
import { VerdictError } from '../../../src/errors.js';

const secret = random256();

function entry(key: string, more: Partial<KeyEntry> = {}, under = secret): KeyEntry {
  return {
    id: key.split('_')[1] ?? '',
    hash: hashOfKey(key, createSecretKey(under, 'base64url')).toString('base64url'),
    scopes: ['classify'],
    models: undefined,
    weight: 1,
    limits: undefined,
    cache: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
    ...more,
  };
}

const fileOf = (...keys: KeyEntry[]): KeyFile => ({ secret, keys });
const bearer = (key: string) => ({ authorization: `Bearer ${key}`, apiKey: undefined });
const refusedAs = (reason: string) => (error: unknown) =>
  error instanceof VerdictError && error.reason === reason && error.code === 'unauthenticated';

const one = newKey('one');
const two = newKey('two');

describe('a caller', () => {
  it('is known by its key in either header', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one), entry(two, { scopes: ['reflection'] })));
    assert.equal(keys.authenticate(bearer(one)).identity.name, 'key:one');
    assert.equal(
      keys.authenticate({ authorization: `bearer  ${one}`, apiKey: undefined }).identity.name,
      'key:one',
    );
    const { identity } = keys.authenticate({ authorization: undefined, apiKey: two });
    assert.equal(identity.name, 'key:two');
    assert.ok(identity.has('reflection') && !identity.has('classify'));
  });

  it('may use the models of its key', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one), entry(two, { models: ['topics'] })));
    const [all, some] = [one, two].map((key) => keys.authenticate(bearer(key)).identity);
    assert.ok(all?.mayUse('topics') && all.mayUse('any'));
    assert.ok(some?.mayUse('topics') && !some.mayUse('any') && !some.mayUse(''));
    assert.ok(Object.isFrozen(some));
  });

  const refused = {
    'shows nothing': [{ authorization: undefined, apiKey: undefined }, 'MISSING_CREDENTIALS'],
    'shows an empty header': [{ authorization: 'Bearer ', apiKey: undefined }, 'MISSING_CREDENTIALS'],
    'shows a key in both headers': [{ authorization: `Bearer ${one}`, apiKey: one }, 'INVALID_CREDENTIALS'],
    'shows its key without a scheme': [{ authorization: one, apiKey: undefined }, 'INVALID_CREDENTIALS'],
    'shows another scheme': [{ authorization: `Basic ${one}`, apiKey: undefined }, 'INVALID_CREDENTIALS'],
    'shows two keys': [{ authorization: undefined, apiKey: `${one}, ${one}` }, 'INVALID_CREDENTIALS'],
    'shows an unknown id': [bearer(newKey('nobody')), 'INVALID_CREDENTIALS'],
    'shows a wrong key of a known id': [bearer(newKey('one')), 'INVALID_CREDENTIALS'],
    "shows another's key under its id": [bearer(two.replace('two', 'one')), 'INVALID_CREDENTIALS'],
  } as const;
  for (const [what, [credentials, reason]] of Object.entries(refused)) {
    it(`is refused that ${what}`, () => {
      const reasons: string[] = [];
      const keys = new KeyAuthenticator(fileOf(entry(one), entry(two)), {
        onRefused: (why) => reasons.push(why),
      });
      assert.throws(() => keys.authenticate(credentials), refusedAs(reason));
      assert.deepEqual(reasons, [reason === 'MISSING_CREDENTIALS' ? 'missing' : 'invalid']);
    });
  }

  it('is told the same of an unknown id and of a wrong key, and never its key', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one)));
    const told = [newKey('nobody'), newKey('one')].map((key) => {
      try {
        keys.authenticate(bearer(key));
      } catch (error) {
        assert.ok(error instanceof VerdictError);
        assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes(key.slice(-43)));
        return error.message;
      }
      return assert.fail();
    });
    assert.equal(told[0], told[1]);
  });
});

describe('keys that change', () => {
  it('let in at once those that are new, and no more those that are gone', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one)));
    const grant = keys.authenticate(bearer(one));
    keys.take(fileOf(entry(two)));
    assert.equal(keys.authenticate(bearer(two)).identity.name, 'key:two');
    assert.throws(() => keys.authenticate(bearer(one)), refusedAs('INVALID_CREDENTIALS'));
    assert.throws(() => grant.renew(), refusedAs('REVOKED_CREDENTIALS'));
  });

  it('tell those who listen, after the change', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one)));
    const grant = keys.authenticate(bearer(one));
    let scopes = '';
    keys.onChange(() => {
      scopes = String(grant.renew().has('metrics'));
    });
    keys.take(fileOf(entry(one, { scopes: ['metrics'] })));
    assert.equal(scopes, 'true');
  });

  it('are named as they are now, expired ones too', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one)));
    assert.deepEqual(keys.names(), ['key:one']);
    keys.take(fileOf(entry(two, { expiresAt: 0 }), entry(one)));
    assert.deepEqual(keys.names(), ['key:two', 'key:one']);
  });

  it('leave a caller its place in the queues', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one)));
    const grant = keys.authenticate(bearer(one));
    keys.take(fileOf(entry(one, { scopes: ['metrics'] }), entry(two)));
    const after = keys.authenticate(bearer(one)).identity;
    assert.equal(after.flow, grant.identity.flow);
    assert.equal(grant.renew(), after);
    assert.notEqual(keys.authenticate(bearer(two)).identity.flow, after.flow);
    keys.take(fileOf(entry(one, { weight: 3 })));
    assert.equal(grant.renew().flow.weight, 3);
  });

  it('revoke a key that another one of its id replaces, or another secret of the file', () => {
    const keys = new KeyAuthenticator(fileOf(entry(one)));
    const grant = keys.authenticate(bearer(one));
    const replaced = newKey('one');
    keys.take(fileOf(entry(replaced)));
    assert.throws(() => grant.renew(), refusedAs('REVOKED_CREDENTIALS'));
    const later = keys.authenticate(bearer(replaced));
    const other = random256();
    keys.take({ secret: other, keys: [entry(replaced)] });
    assert.throws(() => keys.authenticate(bearer(replaced)), refusedAs('INVALID_CREDENTIALS'));
    assert.throws(() => later.renew(), refusedAs('REVOKED_CREDENTIALS'));
  });

  it('leave nothing of other keys in memory, for as long as a call lasts that began before', async () => {
    const keys = new KeyAuthenticator(fileOf(entry(one), entry(two)));
    const grant = keys.authenticate(bearer(one));
    const former = new WeakRef(keys.authenticate(bearer(two)).identity);
    keys.take(fileOf(entry(one)));
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    assert.ok(typeof gc === 'function');
    // What a reference was made of is kept until the end of the turn.
    await setImmediate();
    gc();
    assert.equal(former.deref(), undefined);
    assert.equal(grant.renew().name, 'key:one');
  });

  it('expire to the millisecond, for new calls and for those under way', () => {
    let now = 1_000;
    const reasons: string[] = [];
    const keys = new KeyAuthenticator(
      fileOf(entry(one, { expiresAt: 2_000 }), entry(two, { expiresAt: 3_000 })),
      { onRefused: (why) => reasons.push(why) },
      () => now,
    );
    let changes = 0;
    keys.onChange(() => changes++);
    now = 1_999;
    keys.tick();
    const grant = keys.authenticate(bearer(one));
    assert.equal(changes, 0);
    now = 2_000;
    assert.throws(() => keys.authenticate(bearer(one)), refusedAs('EXPIRED_CREDENTIALS'));
    keys.tick();
    keys.tick();
    assert.equal(changes, 1);
    assert.throws(() => grant.renew(), refusedAs('EXPIRED_CREDENTIALS'));
    assert.deepEqual(reasons, ['expired', 'expired']);
    now = 3_000;
    keys.tick();
    assert.equal(changes, 2);
  });
});
