import assert from 'node:assert/strict';
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { CredentialWatch } from '../../../src/tls/credential-watch.js';
import { Authority, fingerprintOf, type Pair } from '../../support/certificates.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { serverPair, TlsFiles } from '../../support/tls-files.js';

const authority = new Authority();
const settings = { cert: 'CERT', key: 'KEY', clientCa: 'CA' };

describe('CredentialWatch', () => {
  let told: string[];
  let shown: string[];
  let now: number;

  beforeEach(() => {
    told = [];
    shown = [];
    now = Date.now();
  });

  async function watch(paths: {
    cert: string;
    key: string;
    clientCa?: string | undefined;
  }): Promise<CredentialWatch> {
    const opened = await CredentialWatch.open({
      paths: { clientCa: undefined, ...paths },
      settings,
      now: () => now,
      hooks: {
        onReloadFailed: (trouble) => told.push(trouble.replaceAll(/"[^"]*"/g, 'FILE')),
        onRestored: () => told.push('restored'),
      },
    });
    opened.onChange(({ fingerprint }) => shown.push(fingerprint));
    return opened;
  }

  const looks = async (source: CredentialWatch, count = 2) => {
    for (let n = 0; n < count; n++) await source.look();
  };

  it('takes what is the same at two looks in a row, once', async (t) => {
    const files = new TlsFiles(t, serverPair(authority));
    const source = await watch(pairOf(files));
    const next = serverPair(authority);
    files.swap(next);
    await source.look();
    assert.deepEqual(shown, []);
    await source.look();
    assert.deepEqual(shown, [fingerprintOf(next.cert)]);
    assert.equal(source.current.key, next.key);
    await looks(source, 3);
    assert.equal(shown.length, 1);
    assert.deepEqual(told, []);
  });

  it('notices copies over the files, and renames', async (t) => {
    const folder = temporaryFolder(t);
    const write = (pair: Pair, suffix = '') => {
      writeFileSync(join(folder, `cert${suffix}`), pair.cert);
      writeFileSync(join(folder, `key${suffix}`), pair.key);
    };
    write(serverPair(authority));
    const source = await watch({ cert: join(folder, 'cert'), key: join(folder, 'key') });
    const [copied, renamed] = [serverPair(authority), serverPair(authority)];
    write(copied, '.new');
    for (const name of ['cert', 'key']) copyFileSync(join(folder, `${name}.new`), join(folder, name));
    await looks(source);
    write(renamed, '.new');
    for (const name of ['cert', 'key']) renameSync(join(folder, `${name}.new`), join(folder, name));
    await looks(source);
    assert.deepEqual(shown, [fingerprintOf(copied.cert), fingerprintOf(renamed.cert)]);
  });

  it('never uses a certificate with the key of another, and waits for the rest', async (t) => {
    const files = new TlsFiles(t, serverPair(authority));
    const source = await watch(pairOf(files));
    const [half, next] = [source.current.key, serverPair(authority)];
    files.swap({ cert: next.cert, key: half });
    await looks(source, 4);
    assert.deepEqual(told, ['KEY is FILE: it does not belong to the certificate.']);
    files.swap(next);
    await looks(source);
    assert.deepEqual(shown, [fingerprintOf(next.cert)]);
  });

  it('says nothing of files that are only half replaced at one look', async (t) => {
    const files = new TlsFiles(t, serverPair(authority));
    const source = await watch(pairOf(files));
    const [half, next] = [source.current.key, serverPair(authority)];
    files.swap({ cert: next.cert, key: half });
    await source.look();
    files.swap(next);
    await looks(source);
    assert.deepEqual([told, shown], [[], [fingerprintOf(next.cert)]]);
  });

  it('tells each new trouble once, and when the former files are back', async (t) => {
    const pair = serverPair(authority);
    const files = new TlsFiles(t, pair, authority.cert);
    const source = await watch(files);
    files.swap({ ...pair, cert: 'nothing' }, authority.cert);
    await looks(source, 3);
    files.swap({ ...pair, key: pair.key.slice(0, 60) }, 'x');
    await looks(source, 3);
    files.swap(pair, authority.cert);
    await looks(source, 3);
    rmSync(files.key);
    await looks(source, 3);
    assert.deepEqual(told, [
      'CERT is FILE: it holds no certificate in PEM (-----BEGIN CERTIFICATE-----).',
      'KEY is FILE: it holds a private key that cannot be read. CA is FILE: it holds no certificate in PEM (-----BEGIN CERTIFICATE-----).',
      'restored',
      'KEY is FILE: it cannot be read: there is no such file or directory (ENOENT).',
    ]);
    assert.deepEqual(shown, []);
  });

  it('takes a certificate whose time has not come when it comes, though the files stay', async (t) => {
    const files = new TlsFiles(t, serverPair(authority));
    const source = await watch(pairOf(files));
    const early = serverPair(authority, { from: new Date(now + 3_600_000) });
    files.swap(early);
    await looks(source, 3);
    assert.match(told.join(), /^CERT is FILE: it holds a certificate that is not valid before \S+Z\.$/);
    now += 3_600_001;
    await source.look();
    assert.deepEqual(shown, [fingerprintOf(early.cert)]);
  });

  it('knows when the first certificate of the chain expires', async (t) => {
    const soon = new Date(Math.floor(now / 1000) * 1000 + 60_000);
    const { cert, key } = serverPair(authority);
    const intermediate = authority.issue({ name: 'intermediate', to: soon });
    const source = await watch(pairOf(new TlsFiles(t, { cert: cert + intermediate.cert, key })));
    assert.equal(source.current.expiresAt, soon.getTime());
    assert.equal(source.current.fingerprint, fingerprintOf(cert));
  });

  it('does not begin with files that are of no use', async (t) => {
    const expired = serverPair(authority, { to: new Date(now - 1_000) });
    const { cert } = expired;
    await assert.rejects(
      watch(pairOf(new TlsFiles(t, expired))),
      /^Error: CERT is "\S+": it holds a certificate that expired on/,
    );
    await assert.rejects(
      watch(pairOf(new TlsFiles(t, { cert, key: cert }))),
      /KEY is "\S+": it holds no private key/,
    );
  });
});

/** A server that asks for no certificates. */
function pairOf({ cert, key }: TlsFiles): { cert: string; key: string } {
  return { cert, key };
}
