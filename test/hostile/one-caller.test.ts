import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../support/repository.js';
import { residentMemory } from '../support/resident-memory.js';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';
import { attacks } from './attacks.js';
import { HealthyCaller } from './healthy-caller.js';

const mebibyte = 2 ** 20;
const passes = 3;
/** A call beside the attacks takes milliseconds; this is what it is promised. */
const deadlineMs = 3_000;

describe('one caller', { timeout: 240_000 }, () => {
  let service: Service;
  let folder: string;
  let collectionsFile: string;
  let collections = 0;
  const residentAfter: number[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdict-hostile-'));
    collectionsFile = join(folder, 'collections');
    const preload = pathToFileURL(join(repositoryRoot, 'dist/test/support/collect-garbage-on-signal.js'));
    service = await Service.start(['topics'], {
      NODE_OPTIONS: `--import=${preload.href} --max-old-space-size=512`,
      COLLECTIONS_FILE: collectionsFile,
      VERDICT_MAX_HELD_MIB: '64',
      VERDICT_MAX_CONNECTIONS_PER_PEER: '200',
    });
  });
  after(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  /** Resident memory once nothing is held for callers, the heap collected. */
  async function residentAtRest(): Promise<number> {
    const { server } = service;
    await until('nothing is held any more', async () => (await server.metric('verdict_held_bytes')) === 0);
    await until('callers have left', async () => (await server.metric('verdict_connections')) <= 1);
    collections++;
    server.kill('SIGUSR2');
    await until('the heap is collected', () => collected() === collections);
    return residentMemory(server.pid).nowBytes;
  }

  function collected(): number {
    try {
      return Number(readFileSync(collectionsFile, 'utf8'));
    } catch {
      return 0;
    }
  }

  for (let pass = 1; pass <= passes; pass++) {
    describe(`in pass ${pass}`, () => {
      for (const [name, attack] of Object.entries(attacks)) {
        it(`does not stop the service with ${name}`, async () => {
          const { server } = service;
          const healthy = new HealthyCaller(server.address, { everyMs: 20, timeoutMs: deadlineMs });
          try {
            await attack({
              port: service.port,
              adminUrl: server.adminUrl,
              metric: (metric) => server.metric(metric),
            });
            assert.equal((await service.page('/readyz')).status, 200);
          } finally {
            await healthy.stop();
          }
          assert.deepEqual(healthy.failures, []);
          assert.ok(healthy.answered > 0);
        });
      }

      it('leaves nothing behind', async () => {
        residentAfter.push(await residentAtRest());
      });
    });
  }

  it('makes the process no larger the third time than the second', () => {
    const [, second = 0, third = 0] = residentAfter;
    const shown = residentAfter.map((bytes) => `${Math.round(bytes / mebibyte)} MiB`).join(', ');
    assert.ok(third < 1.1 * second, `resident memory after each pass: ${shown}`);
  });

  it('never made it much larger than what it may hold', () => {
    const { peakBytes } = residentMemory(service.server.pid);
    assert.ok(peakBytes < 500 * mebibyte, `${Math.round(peakBytes / mebibyte)} MiB at most`);
  });
});
