import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HeldMemory } from '../support/held-memory.js';
import { residentMemory } from '../support/resident-memory.js';
import { Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { attacks } from './attacks.js';
import { atRest, withstands } from './withstands.js';

const mebibyte = 2 ** 20;
const passes = 3;

describe('one caller', { timeout: 240_000 }, () => {
  let service: Service;
  const heldAfter: number[] = [];
  const held = new HeldMemory(temporaryFolder({ after }), '--max-old-space-size=512');

  before(async () => {
    service = await Service.start(['topics'], {
      ...held.settings,
      VERDICT_MAX_HELD_MIB: '64',
      VERDICT_MAX_CONNECTIONS_PER_PEER: '200',
    });
  });
  after(() => service.stop());

  for (let pass = 1; pass <= passes; pass++) {
    describe(`in pass ${pass}`, () => {
      for (const [name, attack] of Object.entries(attacks)) {
        it(`does not stop the service with ${name}`, async () => {
          await withstands(service, service.port, attack);
        });
      }

      it('leaves nothing behind', async () => {
        await atRest(service);
        heldAfter.push(await held.bytes(service.server));
      });
    });
  }

  it('holds no more after the third time than after the second', () => {
    const [, second = 0, third = 0] = heldAfter;
    assert.ok(third < 1.1 * second, `held after each pass: ${shown(heldAfter)}`);
  });

  it('never made it much larger than what it may hold', () => {
    const { peakBytes } = residentMemory(service.server.pid);
    assert.ok(peakBytes < 500 * mebibyte, `${Math.round(peakBytes / mebibyte)} MiB at most`);
  });
});

function shown(sizes: readonly number[]): string {
  return sizes.map((bytes) => `${(bytes / mebibyte).toFixed(1)} MiB`).join(', ');
}
