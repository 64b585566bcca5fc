import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestHeads } from '../../../src/rpc/request-heads.js';

const heads = new RequestHeads(['Authorization']);
const post = { ':method': 'POST', ':path': '/s/m', ':authority': 'host', 'content-type': 'application/grpc' };
const read = (fields: Record<string, string>) =>
  heads.read({ ...post, ...fields }, Object.entries({ ...post, ...fields }).flat()) ?? assert.fail();

describe('the head of a request', () => {
  it('keeps what somebody reads, and nothing else', () => {
    const fields = {
      'grpc-encoding': 'gzip',
      'x-request-id': 'r-1',
      'verdict-class': 'bulk',
      'verdict-routing-key': 'user-7',
      'x-forwarded-for': '10.0.0.1',
      authorization: 'Bearer x',
    };
    const kept = read({ ...fields, 'x-pad': 'p'.repeat(4_000), cookie: 'c', 'user-agent': 'grpc' });
    const { ':authority': _, ...base } = post;
    assert.deepEqual({ ...kept }, { ...base, ...fields });
  });

  it('keeps of what is only looked for that it was there', () => {
    const looked = new RequestHeads([], ['Via', 'x-forwarded-for']);
    const fields = { via: 'v'.repeat(8_000), 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' };
    const kept = looked.read({ ...post, ...fields }, []);
    assert.equal(kept?.via, 'present');
    assert.equal(kept?.['x-forwarded-for'], '10.0.0.1');
    assert.equal(kept?.forwarded, undefined);
    assert.equal(looked.read(post, [])?.via, undefined);
  });

  it('is none of gRPC without POST', () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
      assert.equal(heads.read({ ...post, ':method': method }, []), undefined);
    }
  });

  it('has values of a length that means something, and their ends where proxies stand', () => {
    const kept = read({
      'x-request-id': 'r'.repeat(5_000),
      'x-forwarded-for': `${'1, '.repeat(900)}10.0.0.9`,
    });
    assert.equal(kept['x-request-id'], `${'r'.repeat(256)}...`);
    const forwarded = String(kept['x-forwarded-for']);
    assert.equal(forwarded.length, 1_024);
    assert.ok(forwarded.endsWith(', 10.0.0.9'));
  });

  it('keeps what an interceptor reads whole, but for what is not ASCII', () => {
    const long = `Bearer ${'x'.repeat(5_000)}`;
    assert.equal(read({ authorization: long }).authorization, long);
    assert.equal(read({ authorization: 'Bearer \u00e4' }).authorization, '?');
  });

  it('has no authorization that could be another one', () => {
    const raw = ['authorization', 'Bearer x', 'x-pad', 'authorization', 'authorization', 'Bearer y'];
    assert.equal(heads.read({ ...post, authorization: 'Bearer x' }, raw)?.authorization, '?');
    assert.equal(
      heads.read({ ...post, authorization: 'Bearer x' }, raw.slice(0, 4))?.authorization,
      'Bearer x',
    );
  });

  it('keeps a value wrong that grpc-js would drop', () => {
    assert.equal(read({ 'verdict-class': 'b\u00fclk' })['verdict-class'], '?');
  });

  it('keeps the address that a proxy appended, whatever the caller wrote before it', () => {
    const forged = {
      '203.0.113.1\u00ff': '203.0.113.1?',
      '203.0.113.1\t': '203.0.113.1?',
      '\u00e4,\u00f6': '?,?',
    };
    for (const [value, kept] of Object.entries(forged)) {
      const head = read({ 'x-forwarded-for': `${value}, 10.0.0.9` });
      assert.equal(head['x-forwarded-for'], `${kept}, 10.0.0.9`);
    }
  });

  it('has timeouts that 32 bits of milliseconds hold, and none that is malformed', () => {
    const timeouts: [string, string][] = [
      ['5S', '5S'],
      ['596H', '596H'],
      ['2147483S', '2147483S'],
      ['99999999m', '99999999m'],
      ['99999999n', '99999999n'],
      ['597H', '2147483S'],
      ['2592000S', '2147483S'],
      ['27000H', '2147483S'],
      ['99999999M', '2147483S'],
      ['99999999H', '2147483S'],
      ...['', 'S', '5', '-5S', '1.5S', '5S,1n', '5 S', '123456789S', '100000000m', '5s', '1e3S'].map(
        (timeout): [string, string] => [timeout, '-'],
      ),
    ];
    for (const [given, kept] of timeouts) {
      assert.equal(read({ 'grpc-timeout': given })['grpc-timeout'], kept, given);
    }
  });
});
