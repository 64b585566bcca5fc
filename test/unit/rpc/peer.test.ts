import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Peers } from '../../../src/rpc/peer.js';

describe('a peer', () => {
  const alone = new Peers();
  const behind = new Peers(['10.0.0.0/8', '2001:db8:ff::/48', '127.0.0.1']);

  it('is the address of the connection where nobody is trusted, whatever the header says', () => {
    assert.equal(alone.of('192.0.2.7', '198.51.100.1'), '192.0.2.7');
    assert.equal(alone.isTrusted('192.0.2.7'), false);
  });

  const forwarded: readonly (readonly [string, string, string])[] = [
    ['10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', 'made up, 203.0.113.9, 198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '203.0.113.9, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['10.1.2.3', '10.9.9.9', '10.9.9.9'],
    ['10.1.2.3', '198.51.100.1:4711', '198.51.100.1'],
    ['10.1.2.3', '[2001:db8:1:2:3::4]:4711', '2001:db8:1:2::/64'],
    ['10.1.2.3', 'unknown', '10.1.2.3'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['2001:db8:ff:1::1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['192.0.2.7', '198.51.100.1', '192.0.2.7'],
  ];
  for (const [address, header, caller] of forwarded) {
    it(`of ${address} that forwards for "${header}" is ${caller}`, () => {
      assert.equal(behind.of(address, header), caller);
    });
  }

  it('of IPv6 is a /64, however it is written', () => {
    for (const address of ['2001:db8:0:7::1', '2001:DB8:0:7:ffff:ffff:ffff:ffff', '2001:db8::7:0:0:1:2']) {
      assert.equal(alone.of(address), '2001:db8:0:7::/64');
    }
    assert.equal(alone.of('::1'), '0:0:0:0::/64');
    assert.equal(alone.of('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(alone.of('::ffff:192.0.2.7'), '192.0.2.7');
    assert.equal(alone.of('64:ff9b::192.0.2.7'), '64:ff9b:0:0::/64');
  });

  it('is found in a bounded part of the header', () => {
    const header = `198.51.100.1, ${'10.0.0.1, '.repeat(10_000)}10.0.0.2`;
    assert.equal(behind.of('10.1.2.3', header), '10.0.0.1');
  });
});
