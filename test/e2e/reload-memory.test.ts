import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { HeldMemory } from '../support/held-memory.js';
import { PublishedModels } from '../support/published-models.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PATIENCE = { timeout: 400_000 };

describe('the memory of a server that reloads a model', () => {
  it('holds the tokenizer of the version that serves, and none of those before it', PATIENCE, async (t) => {
    const models = await PublishedModels.create(t);
    await models.publish('sentiment/1', 'sentiment');
    const memory = new HeldMemory(temporaryFolder(t));
    const server = await models.serve(t, 'sentiment', memory.settings);
    const client = new VerdictClient({ address: server.address, retry: false });
    t.after(() => client.close());
    let version = 1;
    const reload = async () => {
      version++;
      // Other bytes that say the same: no version shares the tokenizer of another.
      await models.publish(`sentiment/${version}`, 'sentiment', (folder) =>
        appendFile(join(folder, 'tokenizer.json'), ' '.repeat(version)),
      );
      const [reloaded] = await client.reloadModels();
      assert.deepEqual([reloaded?.outcome, reloaded?.version], ['loaded', String(version)]);
      assert.equal(
        (await client.classify(`This movie was fantastic, ${'really '.repeat(version)}fantastic!`)).label,
        'POSITIVE',
      );
    };
    await reload();
    const before = await memory.bytes(server);
    for (let count = 0; count < 4; count++) await reload();
    const after = await memory.bytes(server);
    t.diagnostic(`${before} bytes, then ${after}`);
    // Each version that is kept takes a twentieth.
    assert.ok(after < 1.1 * before, `${before} bytes, then ${after}`);
  });
});
