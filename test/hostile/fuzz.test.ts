import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fuzz } from '../fuzz/fuzz.js';
import { FuzzTarget } from '../fuzz/target.js';

/** The whole of a million takes minutes: `npm run fuzz`. */
const INPUTS = { plain: 16_000, TLS: 8_000 } as const;

for (const [transport, inputs] of Object.entries(INPUTS)) {
  test(`mutated messages, frames and connections end in a status, a reset or a GOAWAY, and nothing else: ${transport}`, {
    timeout: 240_000,
  }, async (t) => {
    const target = await FuzzTarget.start(transport === 'TLS');
    t.after(() => target.stop());
    const { codes, connections } = await fuzz({
      port: target.port,
      seed: 1,
      inputs,
      check: () => target.check(),
    });
    await target.checkAtRest();
    // The corpus is sound, and mutations reach what comes behind the decoder.
    const count = (code: status) => codes.get(code) ?? 0;
    for (const code of [status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND, status.RESOURCE_EXHAUSTED]) {
      assert.ok(count(code) > 0, `${status[code]}: ${JSON.stringify([...codes])}`);
    }
    // Without a status: what is no gRPC at all.
    assert.ok((codes.get(-1) ?? 0) < inputs / 20, JSON.stringify([...codes]));
    assert.equal(connections, inputs / 8);
  });
}
