import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StateFile } from '../../../src/models/state-file.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const WRITER = fileURLToPath(new URL('../../support/state-writer.js', import.meta.url));
const KILLS = 12;

/** The number that a state names in all its models. */
async function numberIn(file: StateFile): Promise<number> {
  const numbers = new Set(
    [...((await file.read()) ?? new Map()).values()].map(({ aliases }) => aliases.get('number')),
  );
  assert.equal(numbers.size, 1, 'a state is whole');
  return Number([...numbers][0]);
}

describe('a state file whose writer is killed in the middle of a write', () => {
  it('holds the last state that was told, or the one after it, and is whole for whoever reads it meanwhile', async (t) => {
    const path = join(temporaryFolder(t), 'state.json');
    const file = new StateFile(path);
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => writer.kill('SIGKILL'));
      const exit = once(writer, 'exit');
      let told = 0;
      const lines = createInterface({ input: writer.stdout });
      const writing = once(lines, 'line');
      const closed = once(lines, 'close');
      lines.on('line', (line) => {
        told = Number(line);
      });
      await writing;
      // Reads take time, each time another, so that the kills meet writes at different places.
      for (let reads = 0; reads < 1 + (kill % 4); reads++) assert.ok((await numberIn(file)) > 0);
      writer.kill('SIGKILL');
      await exit;
      await closed;
      const kept = await numberIn(file);
      assert.ok(kept === told || kept === told + 1, `told ${told}, kept ${kept}`);
      await file.tidy();
    }
  });
});
