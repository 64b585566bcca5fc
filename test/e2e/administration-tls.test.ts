import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { Authority } from '../support/certificates.js';
import { otherAddress, skipWithoutOtherAddress } from '../support/other-address.js';
import { startService } from '../support/started-service.js';
import { serverPair, TlsFiles } from '../support/tls-files.js';
import { until } from '../support/until.js';

describe('a client with a certificate, where there are no keys', { timeout: 120_000 }, () => {
  it('administers from the same machine alone: its certificate has no scopes', {
    skip: skipWithoutOtherAddress,
  }, async (t) => {
    const authority = new Authority();
    const clients = new Authority('authority of clients');
    const ops = clients.issue({ name: 'ops', sans: ['URI:spiffe://test/ops'] });
    const files = new TlsFiles(t, serverPair(authority), clients.cert);
    const service = await startService(t, { ...files.mutualSettings, VERDICT_HOST: '0.0.0.0' });
    const clientAt = (host = '') => {
      const tls = { ca: authority.cert, ...ops, serverName: 'localhost' };
      const client = new VerdictClient({ address: `${host}:${service.port}`, tls, retry: false });
      t.after(() => client.close());
      return client;
    };
    const far = clientAt(otherAddress);
    assert.equal((await far.classify('the coach')).cache, 'miss');
    await assert.rejects(far.forget('the coach'), { reason: 'ADMINISTRATION_IS_LOCAL' });
    assert.equal((await clientAt('127.0.0.1').forget('the coach')).removedFromMemory, 1);
    const acts = () => service.server.log.filter(({ msg }) => msg === 'administration');
    await until('the act is in the log', () => acts().length > 0);
    assert.deepEqual(
      acts().map(({ code, identity }) => [code, identity]),
      [['OK', 'URI:spiffe://test/ops']],
    );
  });
});
