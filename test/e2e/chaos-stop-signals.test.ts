import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childProcesses, isAlive } from '../support/child-processes.js';
import { modelsDirectory } from '../support/models-directory.js';
import { outcomesOf } from '../support/outcomes.js';
import { ServedModels } from '../support/served-models.js';
import { StartingServer } from '../support/starting-server.js';
import { until } from '../support/until.js';

describe('a stop signal while the server starts', { concurrency: true }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends it with code 0 and without its session processes: ${signal}`, async (t) => {
      const { path, remove } = await modelsDirectory(['slow']);
      t.after(remove);
      const server = new StartingServer({ VERDICT_MODELS_DIR: path, VERDICT_DEFAULT_MODEL: 'slow' });
      t.after(() => server.kill('SIGKILL'));
      let sessions: number[] = [];
      await until('its session process is there', () => {
        sessions = childProcesses(server.pid);
        return sessions.length > 0;
      });
      server.kill(signal);
      assert.deepEqual(await server.exit, { code: 0, signal: null }, server.output);
      await until('no session process is left', () => !sessions.some(isAlive));
      assert.ok(!server.output.includes('"serving"'));
    });
  }
});

describe('SIGINT', () => {
  it('skips the grace for balancers', async (t) => {
    // With the grace, the test would run into its time limit.
    const patient = { VERDICT_DRAIN_GRACE_MS: '600000', VERDICT_DRAIN_TIMEOUT_MS: '900000' };
    const served = await ServedModels.start(t, ['topics'], patient);
    assert.equal((await served.client().classify('the coach')).label, 'sports');
    const sessions = childProcesses(served.server.pid);
    served.server.kill('SIGINT');
    assert.deepEqual(await served.server.exit, { code: 0, signal: null });
    await until('no session process is left', () => !sessions.some(isAlive));
  });
});

describe('SIGKILL of the server', () => {
  it('leaves no session process behind, neither idle ones nor one in the middle of a run', async (t) => {
    const served = await ServedModels.start(t, ['slow', 'topics'], { VERDICT_BATCH_MAX_RUN_MS: '0' });
    const client = served.client();
    const sessions = childProcesses(served.server.pid);
    assert.equal(sessions.length, 2);
    let outcome: Promise<unknown> = Promise.resolve();
    await served.untilRunning(() => {
      outcome = outcomesOf([client.classifyBatch(Array.from({ length: 16 }, (_, i) => `team ${i}`))]);
    });
    served.server.kill('SIGKILL');
    assert.deepEqual(await served.server.exit, { code: null, signal: 'SIGKILL' });
    assert.deepEqual(await outcome, { UNAVAILABLE: 1 });
    await until('the session processes are gone', () => !sessions.some(isAlive));
  });
});
