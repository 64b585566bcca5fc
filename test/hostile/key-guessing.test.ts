import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { newKey } from '../../src/auth/key-format.js';
import { HeldMemory } from '../support/held-memory.js';
import { TestKeyFile } from '../support/key-files.js';
import { Service } from '../support/service.js';
import { suiteCleanup } from '../support/suite-cleanup.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';
import { headerField, http2Frame, magic, settings } from '../support/wire-frames.js';
import { HealthyCaller } from './healthy-caller.js';
import { call, codeOf, open, paths } from './raw-calls.js';

const UNAUTHENTICATED = 16;
const guesses = 4_000;
const atATime = 100;
/** What may be held more after a round of guesses than before it: each that left 1,000 bytes would be seen. */
const maxGrowthBytes = 4_000_000;

/** The start of a connection and the head of one request, which Node's client would not write: it sends no header twice. */
function requestHead(fields: readonly (readonly [string, string])[]): Buffer {
  const block = Buffer.concat(fields.map(([name, value]) => headerField(name, value)));
  return Buffer.concat([magic, settings, http2Frame(1, 0x5, 1, block)]);
}

describe('somebody who guesses keys', { timeout: 240_000 }, () => {
  const cleanup = suiteCleanup();
  let service: Service;
  let key = '';
  const held = new HeldMemory(temporaryFolder({ after }));

  before(async () => {
    const file = new TestKeyFile(temporaryFolder(cleanup));
    key = file.add('search');
    file.write();
    service = await Service.start(['topics'], { ...held.settings, VERDICT_API_KEYS_FILE: file.path });
  });

  after(() => service.stop());

  const refusals = () => service.server.metric('verdict_auth_refusals_total', { reason: 'invalid' });

  async function guess(from: number): Promise<void> {
    const session = await open(service.port);
    try {
      for (let sent = 0; sent < guesses; sent += atATime) {
        const codes = Array.from({ length: atATime }, (_, n) => {
          // Half of them of an id that exists.
          const wrong = newKey(n % 2 === 0 ? 'search' : `guess-${from + sent + n}`);
          const stream = call(session, paths.classify, { authorization: `Bearer ${wrong}` });
          stream.end();
          return codeOf(stream);
        });
        for (const code of await Promise.all(codes)) assert.equal(code, UNAUTHENTICATED);
      }
    } finally {
      session.destroy();
    }
  }

  it('gets nothing but refusals, and takes neither time nor memory from others', async () => {
    const { server } = service;
    const healthy = new HealthyCaller(server.address, { everyMs: 20, timeoutMs: 3_000, apiKey: key });
    const rest = async () => {
      await until('the guesser has left', async () => (await server.metric('verdict_connections')) <= 1);
      return held.bytes(server);
    };
    try {
      await guess(0);
      await guess(guesses);
      const before = await rest();
      await guess(2 * guesses);
      // What has ended is let go of within a second or so, and what leaks never is.
      await until('no more is held than before', async () => (await rest()) - before < maxGrowthBytes);
    } finally {
      await healthy.stop();
    }
    assert.deepEqual(healthy.failures, []);
    assert.ok(healthy.answered > 0);
    assert.equal(await refusals(), 3 * guesses);
    const page = await (await service.page('/metrics')).text();
    assert.ok(!page.includes('guess-'));
  });

  const odd: Readonly<Record<string, Readonly<Record<string, string | string[]>>>> = {
    'a header of 12 KB': { authorization: `Bearer vk_search_${'A'.repeat(12_000)}` },
    'many spaces': { authorization: `Bearer${' '.repeat(12_000)}x` },
    'another scheme': { authorization: 'Basic dXNlcjpwYXNzd29yZA==' },
    'bytes beyond ASCII': { authorization: 'Bearer vk_s\u00e4\u00ff' },
    'two keys in one header': { 'x-api-key': [newKey('search'), newKey('search')] },
  };
  for (const [what, headers] of Object.entries(odd)) {
    it(`is refused with ${what}`, async () => {
      const before = await refusals();
      const session = await open(service.port);
      const stream = call(session, paths.classify, headers);
      stream.end();
      assert.equal(await codeOf(stream), UNAUTHENTICATED);
      session.destroy();
      assert.equal((await refusals()) - before, 1);
    });
  }

  it('is refused with the right key beside another one, in one header or two', async () => {
    const session = await open(service.port);
    for (const headers of [
      { 'x-api-key': [key, newKey('search')] },
      { 'x-api-key': [key, key] },
      { authorization: `Bearer ${key}`, 'x-api-key': key },
    ]) {
      const stream = call(session, paths.classify, headers);
      stream.end();
      assert.equal(await codeOf(stream), UNAUTHENTICATED);
    }
    session.destroy();
  });

  it('is refused with two authorization headers, the right key first', async () => {
    const before = await refusals();
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      requestHead([
        [':method', 'POST'],
        [':scheme', 'http'],
        [':authority', 'test'],
        [':path', paths.classify],
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
        ['authorization', `Bearer ${key}`],
        ['authorization', `Bearer ${newKey('search')}`],
      ]),
    );
    await until('it is refused', async () => (await refusals()) === before + 1);
    socket.destroy();
  });

  it('cannot keep the service from starting calls by streams without a key', async () => {
    const session = await open(service.port);
    const streams = Array.from({ length: 500 }, () => call(session, paths.stream));
    for (const code of await Promise.all(streams.map(codeOf))) assert.equal(code, UNAUTHENTICATED);
    session.destroy();
  });
});
