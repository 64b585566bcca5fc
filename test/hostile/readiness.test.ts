import assert from 'node:assert/strict';
import { cpSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { writeLargeTokenizer } from '../support/large-tokenizer.js';
import { modelsDirectory } from '../support/models-directory.js';
import { repositoryRoot } from '../support/repository.js';
import { StartingServer } from '../support/starting-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PATIENCE = { timeout: 120_000 };
const FIXTURES = join(repositoryRoot, 'test/fixtures/models');

/** What `/readyz` says; undefined where nobody answers. */
async function readyz(port: number): Promise<{ status: number; reasons: readonly string[] } | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    const { reasons } = (await response.json()) as { reasons: readonly string[] };
    return { status: response.status, reasons };
  } catch {
    return undefined;
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}

describe('/readyz', () => {
  it('says 200 when all models serve and the port is open, and not before', PATIENCE, async (t) => {
    const models = temporaryFolder(t);
    symlinkSync(join(FIXTURES, 'topics'), join(models, 'early'));
    cpSync(join(FIXTURES, 'topics/1'), join(models, 'late/1'), { recursive: true });
    writeLargeTokenizer(join(FIXTURES, 'topics/1/tokenizer.json'), join(models, 'late/1/tokenizer.json'));
    const [port, adminPort] = [await freePort(), await freePort()];
    const server = new StartingServer({
      VERDICT_MODELS_DIR: models,
      VERDICT_DEFAULT_MODEL: 'early',
      VERDICT_PORT: `${port}`,
      VERDICT_ADMIN_PORT: `${adminPort}`,
    });
    t.after(() => server.kill('SIGKILL'));
    const told = new Set<string>();
    for (;;) {
      const answer = await readyz(adminPort);
      if (answer?.status === 200) break;
      for (const reason of answer?.reasons ?? []) told.add(reason);
      await delay(2);
    }
    assert.ok(await isOpen(port), 'the port is open');
    assert.ok(told.has('the server is starting: its gRPC port is not open yet'), [...told].join());
    server.kill('SIGTERM');
    assert.deepEqual(await server.exit, { code: 0, signal: null }, server.output);
    assert.match(server.output, /"model":"late"/);
  });

  it('never says 200 where the start fails', PATIENCE, async (t) => {
    const { path, remove } = await modelsDirectory(['topics', 'broken']);
    t.after(remove);
    const adminPort = await freePort();
    const server = new StartingServer({
      VERDICT_MODELS_DIR: path,
      VERDICT_DEFAULT_MODEL: 'broken',
      VERDICT_ADMIN_PORT: `${adminPort}`,
    });
    t.after(() => server.kill('SIGKILL'));
    const statuses = new Set<number | undefined>();
    let hasEnded = false;
    void server.exit.then(() => {
      hasEnded = true;
    });
    while (!hasEnded) {
      statuses.add((await readyz(adminPort))?.status);
      await delay(2);
    }
    statuses.delete(undefined);
    assert.deepEqual([...statuses], [503]);
    assert.equal((await server.exit).code, 1, server.output);
  });
});
