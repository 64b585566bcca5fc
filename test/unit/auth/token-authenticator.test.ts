import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { TokenAuthenticator } from '../../../src/auth/token-authenticator.js';
import type { RefusalReason } from '../../../src/auth/types.js';
import { VerdictError } from '../../../src/errors.js';
import { audience, TokenIssuer } from '../../support/token-issuer.js';

const seconds = (ms: number) => Math.floor(ms / 1000);

async function setUp(t: TestContext, timing: ConstructorParameters<typeof TokenAuthenticator>[2] = {}) {
  const issuer = await TokenIssuer.start(t);
  const refused: RefusalReason[] = [];
  const rules = { issuer: issuer.name, audience, jwksUrl: issuer.jwksUrl };
  const tokens = new TokenAuthenticator(rules, { onRefused: (reason) => void refused.push(reason) }, timing);
  const show = async (token: string) =>
    tokens.authenticate({ authorization: `Bearer ${token}`, apiKey: undefined });
  const reasonOf = async (token: string) => {
    try {
      await show(token);
      return 'let in';
    } catch (error) {
      assert.ok(error instanceof VerdictError);
      assert.ok(!error.message.includes(token));
      return error.reason;
    }
  };
  return { issuer, tokens, refused, show, reasonOf };
}

describe('tokens of an issuer', () => {
  it('say who calls, what for, and with which models', async (t) => {
    const { issuer, show } = await setUp(t);
    const scope = 'openid verdict:classify verdict:reflection classify verdict:root';
    const { identity } = await show(
      await issuer.sign({ sub: 'user-7', scope, 'verdict:models': ['topics'] }),
    );
    assert.equal(identity.name, 'jwt:user-7');
    const has = (
      ['classify', 'interactive', 'cache-outcomes', 'reflection', 'metrics', 'admin'] as const
    ).filter((each) => identity.has(each));
    assert.deepEqual(has, ['classify', 'reflection']);
    assert.deepEqual([identity.mayUse('topics'), identity.mayUse('sentiment')], [true, false]);

    const listed = await show(await issuer.sign({ scope: undefined, scp: ['verdict:admin'] }));
    assert.deepEqual([listed.identity.has('admin'), listed.identity.has('classify')], [true, false]);
    assert.ok(listed.identity.mayUse('sentiment'));
  });

  it('leave the names of their subjects, once each; those that are refused leave none', async (t) => {
    const { issuer, tokens, show, reasonOf } = await setUp(t);
    assert.deepEqual(tokens.names(), []);
    for (const sub of ['alice', 'bob', 'alice']) await show(await issuer.sign({ sub }));
    await show(await issuer.sign({ sub: 'alice', 'verdict:weight': 2 }));
    await reasonOf(`${await issuer.sign({ sub: 'mallory' })}x`);
    assert.deepEqual([...tokens.names()].sort(), ['jwt:alice', 'jwt:bob']);
  });

  it('say how large its share and its limits are, and whose cached answers it gets', async (t) => {
    const { issuer, show, reasonOf } = await setUp(t);
    const limits = { requestsPerMinute: 60, textsInFlight: 4 };
    const { identity } = await show(await issuer.sign({ 'verdict:weight': 3, 'verdict:limits': limits }));
    assert.equal(identity.flow.weight, 3);
    assert.deepEqual(identity.limits, { ...limits, tokensPerMinute: 0 });
    const apart = await show(await issuer.sign({ 'verdict:cache': 'own' }));
    assert.equal(apart.identity.cache, 'own');
    const plain = await show(await issuer.sign());
    assert.deepEqual([plain.identity.flow.weight, plain.identity.limits], [1, undefined]);
    assert.equal(plain.identity.cache, undefined);
    for (const bad of [
      ...['mine', null, true].map((cache) => ({ 'verdict:cache': cache })),
      ...[0, 1_001, 1.5, '2', null].map((weight) => ({ 'verdict:weight': weight })),
      ...[null, 7, [], { requestsPerMinute: -1 }, { requestsPerMinute: '1' }, { requests: 1 }].map(
        (given) => ({
          'verdict:limits': given,
        }),
      ),
    ])
      assert.equal(await reasonOf(await issuer.sign(bad)), 'INVALID_CREDENTIALS', JSON.stringify(bad));
  });

  it('of one subject are one flow; each is verified once', async (t) => {
    const { issuer, tokens, show } = await setUp(t);
    const [one, two] = [await issuer.sign(), await issuer.sign({ jti: '2' })];
    const [first, second] = [await show(one), await show(two)];
    assert.equal(first.identity.flow, second.identity.flow);
    assert.notEqual((await show(await issuer.sign({ sub: 'other' }))).identity.flow, first.identity.flow);
    assert.ok(
      !(tokens.authenticate({ authorization: `Bearer ${one}`, apiKey: undefined }) instanceof Promise),
    );
    assert.equal(issuer.fetches, 1);
  });

  it('are refused if they are forged, not for this server, or say too little', async (t) => {
    const { issuer, refused, reasonOf } = await setUp(t);
    const good = await issuer.sign();
    const [head = '', body = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const admin = Buffer.from(JSON.stringify({ ...claims, scope: 'verdict:admin' })).toString('base64url');
    const publicKey = new TextEncoder().encode(await issuer.publicKey());
    const stranger = await generateKeyPair('ES256');
    const bad: Record<string, string> = {
      'another body': [head, admin, signature].join('.'),
      'no signature': `${head}.${body}.`,
      'no algorithm': new UnsecuredJWT(claims).encode(),
      'the public key as a shared secret': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(publicKey),
      'the key of a stranger': await issuer.sign({}, stranger),
      'another issuer': await issuer.sign({ iss: 'https://evil.example' }),
      'another audience': await issuer.sign({ aud: 'billing' }),
      'no audience': await issuer.sign({ aud: undefined }),
      'no subject': await issuer.sign({ sub: undefined }),
      'a subject for the log': await issuer.sign({ sub: 'a\nb' }),
      'a number for a subject': await issuer.sign({ sub: 5 }),
      'a list for a subject': await issuer.sign({ sub: ['a'.repeat(1_000)] }),
      'no end': await issuer.sign({ exp: undefined }),
      'a later beginning': await issuer.sign({ nbf: seconds(Date.now()) + 300 }),
      'models that are none': await issuer.sign({ 'verdict:models': 'topics' }),
      'no token': 'a.b.c',
    };
    for (const [what, token] of Object.entries(bad))
      assert.equal(await reasonOf(token), 'INVALID_CREDENTIALS', what);
    assert.equal(refused.length, Object.keys(bad).length);
    assert.equal(await reasonOf(await issuer.sign({ exp: seconds(Date.now()) - 60 })), 'EXPIRED_CREDENTIALS');
    assert.equal(await reasonOf(good), 'let in');
  });

  it('end with their time, calls under way too', async (t) => {
    let now = Date.now();
    const { issuer, tokens, show, reasonOf, refused } = await setUp(t, { now: () => now });
    const token = await issuer.sign({ exp: seconds(now) + 60 });
    const grant = await show(token);
    let reviews = 0;
    tokens.onChange(() => {
      reviews++;
      grant.renew();
    });
    now += 80_000;
    tokens.tick();
    assert.equal(reviews, 0, 'clocks may differ by half a minute');
    now += 11_000;
    assert.throws(() => tokens.tick(), { reason: 'EXPIRED_CREDENTIALS' });
    assert.equal(await reasonOf(token), 'EXPIRED_CREDENTIALS');
    assert.deepEqual(refused, ['expired', 'expired']);
    tokens.tick();
    assert.equal(reviews, 1, 'nothing is left to expire');
  });

  it('cannot be verified while the issuer is away, and are not called invalid then', async (t) => {
    const { issuer, refused, reasonOf } = await setUp(t, { refetchMs: 0, awayMs: 0 });
    issuer.failing = 503;
    const token = await issuer.sign();
    assert.equal(await reasonOf(token), 'UNVERIFIABLE_CREDENTIALS');
    issuer.failing = undefined;
    assert.equal(await reasonOf(token), 'let in');
    issuer.failing = 500;
    assert.equal(await reasonOf(token), 'let in', 'it was verified before');
    assert.deepEqual(refused, ['unverifiable']);
  });

  it('cannot be verified with anything but keys, nor while nobody answers', async (t) => {
    const { issuer, reasonOf } = await setUp(t, { refetchMs: 0, fetchTimeoutMs: 200, awayMs: 0 });
    const token = await issuer.sign();
    for (const body of ['', '<html>', '[]', '{"keys": 1}', undefined]) {
      issuer.body = body;
      issuer.isHanging = body === undefined;
      assert.equal(await reasonOf(token), 'UNVERIFIABLE_CREDENTIALS', body ?? 'no answer');
    }
    issuer.body = '{"keys": []}';
    issuer.isHanging = false;
    assert.equal(await reasonOf(token), 'INVALID_CREDENTIALS', 'no key');
  });

  it('are refused at once for a moment after the issuer did not answer, but for those whose keys are known', async (t) => {
    let now = Date.now();
    const { issuer, reasonOf, show } = await setUp(t, { refetchMs: 0, fetchTimeoutMs: 200, now: () => now });
    const known = await issuer.sign({ jti: 'known' });
    assert.equal(await reasonOf(await issuer.sign()), 'let in');
    await issuer.rotate('two');
    issuer.isHanging = true;
    const { fetches } = issuer;
    const token = await issuer.sign();
    for (let n = 0; n < 5; n++) assert.equal(await reasonOf(token), 'UNVERIFIABLE_CREDENTIALS');
    assert.equal(issuer.fetches, fetches + 1);
    assert.equal(await reasonOf(known), 'let in');
    now += 900;
    await assert.rejects(show(token), { reason: 'UNVERIFIABLE_CREDENTIALS', retryAfterMs: 100 });
    issuer.isHanging = false;
    now += 100;
    assert.equal(await reasonOf(token), 'let in');
  });

  it('of a new key are good once the keys are fetched again, which strangers cannot hurry', async (t) => {
    const { issuer, reasonOf } = await setUp(t, { refetchMs: 0 });
    assert.equal(await reasonOf(await issuer.sign()), 'let in');
    await issuer.rotate('two');
    assert.equal(await reasonOf(await issuer.sign({ jti: '2' })), 'let in');

    const slow = await setUp(t, { refetchMs: 60_000 });
    assert.equal(await slow.reasonOf(await slow.issuer.sign()), 'let in');
    const { fetches } = slow.issuer;
    await slow.issuer.rotate('three');
    for (let n = 0; n < 5; n++)
      assert.equal(await slow.reasonOf(await slow.issuer.sign({ jti: `${n}` })), 'INVALID_CREDENTIALS');
    assert.equal(slow.issuer.fetches, fetches);
  });
});
