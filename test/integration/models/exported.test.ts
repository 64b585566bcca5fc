import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { verifyModel } from '../../../src/app/verify-model.js';
import { repositoryRoot } from '../../support/repository.js';

const exported = join(repositoryRoot, 'test/fixtures/exported/tiny-roberta/1');

/** training/README.md has the commands that made it. */
describe('what training/export wrote', () => {
  it('gives its known answers in every precision, within its own tolerance', async () => {
    const { ok, checks, weights } = await verifyModel(exported);
    assert.ok(ok, JSON.stringify(checks));
    assert.deepEqual(
      weights.map(({ precision, batching, golden }) => [precision, batching, golden?.ok]),
      [
        ['fp32', 'padded', true],
        ['fp16', 'padded', true],
        ['int8', 'padded', true],
      ],
    );
    for (const { golden } of weights) assert.ok((golden?.entries ?? 0) >= 60);
    // Each is what it says: the fewer bits, the further from PyTorch.
    const [fp32 = 0, fp16 = 0, int8 = 0] = weights.map(({ golden }) => golden?.largestShift);
    assert.ok(fp32 < 1e-4 && fp32 < fp16 && fp16 < int8, `${fp32}, ${fp16}, ${int8}`);
  });
});
