import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fuzz } from '../fuzz/fuzz.js';
import { FuzzTarget } from '../fuzz/target.js';

/** The whole of a million takes minutes: `npm run fuzz`. */
const INPUTS = { plain: 16_000, TLS: 8_000 } as const;

for (const [transport, inputs] of Object.entries(INPUTS)) {
  test(`what is mutated ends in a status, a reset, a GOAWAY or an answer of HTTP, and nothing else: ${transport}`, {
    timeout: 240_000,
  }, async (t) => {
    const target = await FuzzTarget.start(transport === 'TLS');
    t.after(() => target.stop());
    const { codes, connections, statuses, httpConnections } = await fuzz({
      port: target.port,
      httpUrl: target.httpUrl,
      seed: 1,
      inputs,
      check: () => target.check(),
    });
    await target.checkAtRest();
    // The corpus is sound, and mutations reach what comes behind the decoder.
    const { OK, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED } = status;
    assertSeen(codes, [OK, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED]);
    assertSeen(statuses, [200, 400, 403, 404, 405, 415]);
    assert.ok(!statuses.has(500), JSON.stringify([...statuses]));
    // Without a status: what is no gRPC at all.
    assert.ok((codes.get(-1) ?? 0) < inputs / 20, JSON.stringify([...codes]));
    // Or cut off: a caller that sends on for long after its answer, as one on a busy machine may.
    assert.ok((statuses.get(-1) ?? 0) < inputs / 1_000, JSON.stringify([...statuses]));
    assert.deepEqual([connections, httpConnections], [inputs / 8, inputs / 8]);
  });
}

function assertSeen(outcomes: ReadonlyMap<number, number>, wanted: readonly number[]): void {
  for (const outcome of wanted)
    assert.ok(outcomes.has(outcome), `${outcome}: ${JSON.stringify([...outcomes])}`);
}
