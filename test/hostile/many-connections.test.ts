import assert from 'node:assert/strict';
import type { ClientHttp2Session } from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import { ClassifyRequest, ClassifyStreamRequest } from '../../generated/verdict/v1/classifier_service.js';
import { TestKeyFile } from '../support/key-files.js';
import { streamRequest, textRequest } from '../support/requests.js';
import type { Service } from '../support/service.js';
import { startService } from '../support/started-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';
import { frame } from '../support/wire-frames.js';
import { HealthyCaller } from './healthy-caller.js';
import { call, codeOf, open, paths } from './raw-calls.js';

const PATIENCE = { timeout: 120_000 };
const OK = 0;
const RESOURCE_EXHAUSTED = 8;
const request = frame(ClassifyRequest.encode(textRequest('the coach')).finish());

/** Connections from these addresses, which end with the test. */
async function connections(
  t: TestContext,
  { port }: Service,
  addresses: readonly string[],
): Promise<ClientHttp2Session[]> {
  const sessions = await Promise.all(addresses.map((address) => open(port, undefined, address)));
  t.after(() => {
    for (const session of sessions) session.destroy();
  });
  return sessions;
}

const times = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n));

/** The codes of calls of one text, some on each connection, all at once. */
async function classifyOn(
  sessions: readonly ClientHttp2Session[],
  fields: (n: number) => Readonly<Record<string, string>>,
  callsOfEach = 3,
): Promise<(number | undefined)[]> {
  const calls = sessions.flatMap((session, n) =>
    times(callsOfEach, (of) => call(session, paths.classify, fields(n * callsOfEach + of))),
  );
  for (const stream of calls) stream.end(request);
  return Promise.all(calls.map(codeOf));
}

const count = (codes: readonly (number | undefined)[], code: number) =>
  codes.filter((one) => one === code).length;

/** A server with a key of these limits. */
async function withKey(t: TestContext, limits: Readonly<Record<string, number>>, settings = {}) {
  const file = new TestKeyFile(temporaryFolder(t));
  const key = file.add('greedy', { limits });
  const other = file.add('other');
  file.write();
  const service = await startService(t, { VERDICT_API_KEYS_FILE: file.path, ...settings });
  return { service, key, other };
}

describe('many connections do not get more than one', PATIENCE, () => {
  it('of a key: its requests count together, from whatever address, in whatever header', async (t) => {
    const limit = 40;
    const { service, key } = await withKey(t, { requestsPerMinute: limit });
    const sessions = await connections(
      t,
      service,
      times(40, (n) => `127.0.0.${2 + (n % 20)}`),
    );
    const codes = await classifyOn(sessions, (n) => ({
      ...(n % 2 === 0 ? { 'x-api-key': key } : { authorization: `Bearer ${key}` }),
      'x-forwarded-for': `198.51.100.${n % 250}`,
      'user-agent': `caller ${n}`,
    }));
    const answered = count(codes, OK);
    // What comes back while they are on their way: two in three seconds.
    assert.ok(answered >= limit && answered <= limit + 10, `${answered} of ${codes.length}`);
    assert.equal(count(codes, RESOURCE_EXHAUSTED), codes.length - answered);
  });

  it('of an address: what it claims to be does not count', async (t) => {
    const limit = 40;
    const service = await startService(t, { VERDICT_REQUESTS_PER_MINUTE: String(limit) });
    const sessions = await connections(
      t,
      service,
      times(40, () => '127.0.0.2'),
    );
    const codes = await classifyOn(sessions, (n) => ({ 'x-forwarded-for': `198.51.100.${n % 250}` }));
    const answered = count(codes, OK);
    assert.ok(answered >= limit && answered <= limit + 10, `${answered} of ${codes.length}`);
    const [other] = await connections(t, service, ['127.0.0.3']);
    assert.ok(other !== undefined);
    assert.deepEqual(await classifyOn([other], () => ({})), [OK, OK, OK]);
  });

  it('of a key: its texts in flight count together, in streams and unary calls', async (t) => {
    const limit = 4;
    const { service, key, other } = await withKey(t, { textsInFlight: limit });
    const sessions = await connections(
      t,
      service,
      times(12, (n) => `127.0.0.${2 + n}`),
    );
    const refusals = () => service.server.metric('verdict_rate_limit_refusals_total', { limit: 'in_flight' });
    const release = service.holdSession('topics');
    const ends: Promise<number | undefined>[] = [];
    try {
      for (const [n, session] of sessions.entries()) {
        const stream = call(session, n % 2 === 0 ? paths.stream : paths.classify, { 'x-api-key': key });
        // Not the same text: callers who ask the same share one computation.
        const text = `the coach of team ${n}`;
        const message =
          n % 2 === 0
            ? ClassifyStreamRequest.encode(streamRequest(text)).finish()
            : ClassifyRequest.encode(textRequest(text)).finish();
        stream.end(frame(message));
        ends.push(codeOf(stream));
      }
      await until('all others are refused', async () => (await refusals()) === sessions.length - limit);
    } finally {
      release();
    }
    await Promise.all(ends);
    const [session] = sessions;
    assert.ok(session !== undefined);
    assert.deepEqual(await classifyOn([session], () => ({ 'x-api-key': other })), [OK, OK, OK]);
  });

  it('of an address: what it makes the server hold counts together, and others are served', async (t) => {
    const heldMib = 16;
    const service = await startService(t, { VERDICT_MAX_HELD_MIB: String(heldMib) });
    const sessions = await connections(
      t,
      service,
      times(40, () => '127.0.0.2'),
    );
    const healthy = new HealthyCaller(service.server.address, { everyMs: 20, timeoutMs: 5_000 });
    try {
      // The last byte of each message never comes.
      const part = frame(Buffer.alloc(700_000), { length: 700_001 });
      for (const session of sessions) call(session, paths.batch).write(part);
      const shed = () => service.server.metric('verdict_calls_shed_total', { limit: 'peer' });
      await until('calls of the address are ended', async () => (await shed()) > 0);
      assert.ok((await service.server.metric('verdict_held_bytes')) <= (heldMib / 2) * 2 ** 20);
      assert.equal(await service.server.metric('verdict_calls_shed_total', { limit: 'process' }), 0);
    } finally {
      await healthy.stop();
    }
    assert.deepEqual(healthy.failures, []);
    assert.ok(healthy.answered > 0);
  });

  it('of an address: its health watchers count together', async (t) => {
    const service = await startService(t, { VERDICT_MAX_HEALTH_WATCHERS_PER_PEER: '5' });
    const sessions = await connections(
      t,
      service,
      times(12, () => '127.0.0.2'),
    );
    const outcomes = sessions.map((session) => {
      const watch = call(session, paths.watch);
      watch.end(frame(Buffer.alloc(0)));
      return Promise.race([
        codeOf(watch),
        new Promise<'open'>((resolve) => watch.once('data', () => resolve('open'))),
      ]);
    });
    const codes = await Promise.all(outcomes);
    assert.equal(codes.filter((code) => code === 'open').length, 5);
    assert.equal(codes.filter((code) => code === RESOURCE_EXHAUSTED).length, 7);
    const refused = { reason: 'too_many_watchers' };
    assert.equal(await service.server.metric('verdict_calls_refused_total', refused), 7);
  });

  it('of an address: no more than its part of all connections, and each end is counted', async (t) => {
    const service = await startService(t, {
      VERDICT_MAX_CONNECTIONS: '40',
      VERDICT_MAX_CONNECTIONS_PER_PEER: '30',
    });
    const { server } = service;
    const attempts = 60;
    const sessions = await Promise.allSettled(
      times(attempts, () => open(service.port, undefined, '127.0.0.2')),
    );
    const entered = sessions.filter(({ status }) => status === 'fulfilled').length;
    assert.equal(entered, 20);
    assert.equal(await server.metric('verdict_connections_refused_total', { limit: 'peer' }), attempts - 20);
    const [other] = await connections(t, service, ['127.0.0.3']);
    assert.ok(other !== undefined);
    assert.deepEqual(await classifyOn([other], () => ({})), [OK, OK, OK]);
    for (const session of sessions) if (session.status === 'fulfilled') session.value.destroy();
    const closed = () => server.metric('verdict_connections_closed_total', { reason: 'client' });
    await until('their ends are counted', async () => (await closed()) === 20);
    assert.equal(await server.metric('verdict_connections_opened_total'), 21);
    assert.equal(await server.metric('verdict_connections'), 1);
  });
});
