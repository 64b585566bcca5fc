import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { sansIn } from '../../../src/tls/client-certificate.js';
import { Authority } from '../../support/certificates.js';

/** The names that a certificate with these names is found to have. */
function found(...sans: string[]): string[] {
  const { cert } = new Authority().issue({ name: 'client', sans });
  return sansIn(new X509Certificate(cert).subjectAltName ?? '');
}

describe('the names in a certificate', () => {
  it('are its URIs and DNS names, each with its kind, in their order', () => {
    assert.deepEqual(found('URI:spiffe://a/web', 'IP:10.0.0.1', 'DNS:web.test'), [
      'URI:spiffe://a/web',
      'DNS:web.test',
    ]);
    assert.deepEqual(found(), []);
  });

  it('cannot be made to look like several, or like another kind', () => {
    for (const name of ['URI:spiffe://a, DNS:admin.test', 'DNS:a", URI:spiffe://admin', 'URI:a\\", DNS:b']) {
      assert.deepEqual(found(name), [name]);
    }
  });
});
