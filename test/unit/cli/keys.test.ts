import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { KeyAuthenticator } from '../../../src/auth/key-authenticator.js';
import { COMMANDS } from '../../../src/cli/commands.js';
import { expiryOf } from '../../../src/cli/keys/expiry.js';
import { run } from '../../../src/cli/run.js';
import { UsageError } from '../../../src/cli/usage-error.js';
import { parseKeyFile } from '../../../src/config/key-file.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { fakeContext } from './fake-context.js';

/** A folder, and `verdict keys ...` on the file in it. */
function setUp(t: TestContext, isTTY = false) {
  const folder = temporaryFolder(t);
  const path = join(folder, 'keys.yaml');
  const keys = async (...argv: string[]) => {
    const context = fakeContext({ env: { VERDICT_API_KEYS_FILE: path }, isTTY });
    const serve = () => assert.fail('nothing is served');
    const code = await run(['keys', ...argv], { version: '', commands: COMMANDS, serve }, context);
    return { code, out: context.out(), err: context.err() };
  };
  return { folder, path, keys };
}

async function authenticatorOf(path: string): Promise<KeyAuthenticator> {
  const reading = await parseKeyFile(readFileSync(path, 'utf8'), path);
  assert.ok('file' in reading);
  return new KeyAuthenticator(reading.file);
}

describe('verdict keys', () => {
  it('new prints a key that the file lets in, and nothing else on standard output', async (t) => {
    const { folder, path, keys } = setUp(t);
    const { code, out, err } = await keys('new', '--id', 'search', '--scopes', 'classify, metrics');
    assert.equal(code, 0);
    assert.match(out, /^vk_search_[\w-]{43}\n$/);
    const key = out.trim();
    assert.ok(!err.includes(key) && !readFileSync(path, 'utf8').includes(key.slice(-43)));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['keys.yaml']);
    const { identity } = (await authenticatorOf(path)).authenticate({
      authorization: undefined,
      apiKey: key,
    });
    assert.ok(identity.has('metrics') && !identity.has('reflection'));
  });

  it('list shows what keys are good for, and no hash', async (t) => {
    const { path, keys } = setUp(t);
    await keys('new', '--id', 'search');
    await keys(
      'new',
      '--id',
      'trial',
      '--models',
      'a,b',
      '--weight',
      '5',
      '--texts-in-flight',
      '8',
      '--cache',
      'own',
      '--expires',
      '2999-01-31',
    );
    const { out } = await keys('list');
    assert.deepEqual(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [
        {
          id: 'search',
          scopes: ['classify'],
          models: null,
          weight: 1,
          limits: null,
          cache: null,
          expires: null,
          expired: false,
        },
        {
          id: 'trial',
          scopes: ['classify'],
          models: ['a', 'b'],
          weight: 5,
          limits: { requestsPerMinute: 0, tokensPerMinute: 0, textsInFlight: 8 },
          cache: 'own',
          expires: '2999-01-31T00:00:00.000Z',
          expired: false,
        },
      ],
    );
    const shown = await setUp(t, true).keys('list', '--file', path);
    assert.match(shown.out, /^ID +EXPIRES +WEIGHT +MODELS +SCOPES.*\nsearch +never +1 +all +classify/);
  });

  it('revoke takes a key out and leaves the rest of the file as it was', async (t) => {
    const { path, keys } = setUp(t);
    const first = (await keys('new', '--id', 'first')).out.trim();
    const text = `${readFileSync(path, 'utf8')}  # of the search team\n`;
    writeFileSync(path, text);
    const second = (await keys('new', '--id', 'second')).out.trim();
    assert.equal((await keys('revoke', 'second')).code, 0);
    assert.equal(readFileSync(path, 'utf8').trim(), text.trim());
    const authenticator = await authenticatorOf(path);
    assert.ok(authenticator.authenticate({ authorization: undefined, apiKey: first }));
    assert.throws(() => authenticator.authenticate({ authorization: undefined, apiKey: second }));
    assert.equal((await keys('revoke', 'first')).code, 0);
    assert.match(readFileSync(path, 'utf8'), /keys:\s+\[\]/);
    assert.equal((await keys('new', '--id', 'third')).code, 0);
  });

  it('refuses what makes no sense, and changes nothing', async (t) => {
    const { folder, path, keys } = setUp(t);
    assert.equal((await keys('list')).code, 2);
    assert.equal((await keys('revoke', 'none')).code, 2);
    assert.deepEqual(readdirSync(folder), []);
    await keys('new', '--id', 'search');
    const before = readFileSync(path, 'utf8');
    for (const argv of [
      ['new'],
      ['new', '--id', 'Search'],
      ['new', '--id', 'search'],
      ['new', '--id', 'a', '--scopes', 'root'],
      ['new', '--id', 'a', '--cache', 'mine'],
      ['new', '--id', 'a', '--scopes', ''],
      ['new', '--id', 'a', '--models', '*'],
      ['new', '--id', 'a', '--expires', '2001-01-01'],
      ['new', '--id', 'a', '--weight', '0'],
      ['new', '--id', 'a', '--weight', '1001'],
      ['new', '--id', 'a', '--requests-per-minute', '-1'],
      ['new', '--id', 'a', '--texts-in-flight', '1000000001'],
      ['new', '--id', 'a', 'b'],
      ['revoke'],
      ['revoke', 'a', 'b'],
      ['revoke', 'nobody'],
    ]) {
      const { code, out, err } = await keys(...argv);
      assert.deepEqual([code, out], [2, ''], argv.join(' '));
      assert.match(err, /^verdict keys /);
    }
    assert.equal(readFileSync(path, 'utf8'), before);
    assert.deepEqual(readdirSync(folder), ['keys.yaml']);
  });

  it('does not touch a file that is no key file', async (t) => {
    const { path, keys } = setUp(t);
    writeFileSync(path, 'server:\n  port: 1\n');
    const { code, err } = await keys('new', '--id', 'a');
    assert.equal(code, 2);
    assert.match(err, /server is not a field/);
    assert.equal(readFileSync(path, 'utf8'), 'server:\n  port: 1\n');
  });

  it('lets many commands at the same time add their keys', async (t) => {
    const { path, keys } = setUp(t);
    const ids = Array.from({ length: 8 }, (_, n) => `key-${n}`);
    const codes = await Promise.all(ids.map(async (id) => (await keys('new', '--id', id)).code));
    assert.deepEqual(
      codes,
      ids.map(() => 0),
    );
    const reading = await parseKeyFile(readFileSync(path, 'utf8'), path);
    assert.ok('file' in reading);
    assert.deepEqual(reading.file.keys.map(({ id }) => id).sort(), ids);
  });

  it('replaces the file behind a symbolic link, and keeps who may read it, but not everybody', async (t) => {
    const { folder, path, keys } = setUp(t);
    const target = join(folder, 'target.yaml');
    await keys('new', '--id', 'a', '--file', target);
    chmodSync(target, 0o644);
    symlinkSync(target, path);
    await keys('new', '--id', 'b');
    assert.match(readFileSync(target, 'utf8'), /id: b/);
    assert.equal(statSync(target).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(folder).sort(), ['keys.yaml', 'target.yaml']);
  });

  it('leaves a symbolic link alone that leads nowhere', async (t) => {
    const { folder, path, keys } = setUp(t);
    symlinkSync(join(folder, 'not-mounted', 'keys.yaml'), path);
    const { code, out, err } = await keys('new', '--id', 'a');
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /cannot read .*keys\.yaml: there is no such file/);
    assert.deepEqual(readdirSync(folder), ['keys.yaml']);
    assert.ok(lstatSync(path).isSymbolicLink());
  });

  it('makes no file that is too large for a server', async (t) => {
    const { folder, path, keys } = setUp(t);
    await keys('new', '--id', 'a');
    const before = `${readFileSync(path, 'utf8')}# `.padEnd(2 ** 20 - 50, 'x');
    writeFileSync(path, before);
    const { code, out, err } = await keys('new', '--id', 'b');
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /larger than the 1048576 bytes that a server reads/);
    assert.equal(readFileSync(path, 'utf8'), before);
    assert.deepEqual(readdirSync(folder), ['keys.yaml']);
  });
});

describe('when a key expires', () => {
  const now = Date.UTC(2027, 0, 1);

  const good = {
    '2027-01-31': '2027-01-31T00:00:00Z',
    '2027-01-31T12:30:00Z': '2027-01-31T12:30:00Z',
    '90d': '2027-04-01T00:00:00Z',
    '12h': '2027-01-01T12:00:00Z',
  };
  for (const [given, expected] of Object.entries(good)) {
    it(`may be given as ${given}`, () => assert.equal(expiryOf(given, now), expected));
  }

  const bad = [
    '',
    'tomorrow',
    '2027-02-30',
    '2027-1-1',
    '2027-01-31T12:00:00+01:00',
    '0d',
    '2026-12-31',
    '9w',
  ];
  for (const given of bad) {
    it(`may not be given as "${given}"`, () => assert.throws(() => expiryOf(given, now), UsageError));
  }
});
