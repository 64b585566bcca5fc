import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestKeyFile } from '../support/key-files.js';
import { streamRequest } from '../support/requests.js';
import { clientOf, startService } from '../support/started-service.js';
import { StreamCall } from '../support/stream-call.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };

describe('a server that trusts an issuer', PATIENCE, () => {
  it('serves who has a token, names it in the log, and shows no token', async (t) => {
    const issuer = await TokenIssuer.start(t);
    const service = await startService(t, issuer.settings);
    const token = await issuer.sign({ sub: 'user-7' });
    assert.equal((await clientOf(t, service, token).classify('the coach')).label, 'sports');
    await assert.rejects(clientOf(t, service).classify('the coach'), {
      code: 'UNAUTHENTICATED',
      reason: 'MISSING_CREDENTIALS',
    });
    await assert.rejects(clientOf(t, service, await issuer.sign({ aud: 'billing' })).classify('the coach'), {
      code: 'UNAUTHENTICATED',
      reason: 'INVALID_CREDENTIALS',
    });
    const metrics = await issuer.sign({ scope: 'verdict:metrics' });
    await assert.rejects(clientOf(t, service, metrics).classify('the coach'), {
      code: 'PERMISSION_DENIED',
      reason: 'MISSING_SCOPE',
    });
    const logged = () => service.server.log.filter(({ msg }) => msg === 'call');
    await until('all calls are logged', () => logged().length === 4);
    const calls = logged();
    assert.deepEqual(
      calls.map(({ code, identity }) => [code, identity]),
      [
        ['OK', 'jwt:user-7'],
        ['UNAUTHENTICATED', undefined],
        ['UNAUTHENTICATED', undefined],
        ['PERMISSION_DENIED', 'jwt:web'],
      ],
    );
    assert.ok(!JSON.stringify(service.server.log).includes(token));
    assert.equal(await service.server.metric('verdict_auth_refusals_total', { reason: 'invalid' }), 1);
  });

  it('takes API keys beside tokens', async (t) => {
    const issuer = await TokenIssuer.start(t);
    const file = new TestKeyFile(temporaryFolder(t));
    const key = file.add('search');
    file.write();
    const service = await startService(t, { ...issuer.settings, VERDICT_API_KEYS_FILE: file.path });
    for (const credential of [key, await issuer.sign()])
      assert.equal((await clientOf(t, service, credential).classify('the coach')).label, 'sports');
    await assert.rejects(clientOf(t, service, 'nonsense').classify('the coach'), { code: 'UNAUTHENTICATED' });
  });

  it('ends the stream of a token when that expires', async (t) => {
    const issuer = await TokenIssuer.start(t);
    const service = await startService(t, issuer.settings);
    // It fetches the issuer's keys, which takes a part of the time that the next token has.
    await clientOf(t, service, await issuer.sign()).classify('the coach');
    // Clocks may differ by half a minute.
    const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) - 20 });
    const stream = new StreamCall(service.classifier, { authorization: `Bearer ${token}` });
    await stream.send(streamRequest('the coach')).next();
    assert.equal((await stream.status).details, 'the credentials have expired');
  });

  it('says that it cannot tell while the issuer is away, and starts without it', async (t) => {
    const issuer = await TokenIssuer.start(t);
    issuer.failing = 503;
    const service = await startService(t, issuer.settings);
    await assert.rejects(clientOf(t, service, await issuer.sign()).classify('the coach'), {
      code: 'UNAVAILABLE',
      reason: 'UNVERIFIABLE_CREDENTIALS',
    });
    assert.equal(await clientOf(t, service).health(), 'serving');
  });
});
