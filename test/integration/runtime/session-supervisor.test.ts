import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSession } from '../../../src/runtime/open-session.js';
import { SessionSupervisor, type SupervisorOptions } from '../../../src/runtime/session-supervisor.js';
import type { Session } from '../../../src/runtime/types.js';
import { isAlive } from '../../support/child-processes.js';
import { until } from '../../support/until.js';
import { fixtureModel } from './fixture-session.js';

/** A session that a test ends by hand. */
class FakeSession implements Session {
  readonly info = { pid: 1, device: 'cpu', inputs: [], labelCount: 2, loadMs: 1 } as const;
  lose: (reason: string) => void = () => {};
  readonly lost = new Promise<string>((resolve) => {
    this.lose = resolve;
  });
  closed = false;

  run(): never {
    throw new Error('nothing runs here');
  }

  kill(reason: string): void {
    this.lose(reason);
  }

  close(): Promise<void> {
    this.closed = true;
    this.lose('closed');
    return Promise.resolve();
  }
}

/** A clock whose timers wait until the test lets the earliest one go. */
class HandClock {
  time = 0;
  readonly timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.time + delayMs, callback };
    this.timers.push(timer);
    return () => this.timers.splice(this.timers.indexOf(timer), 1);
  }

  fire(): void {
    const timer = this.timers.shift();
    assert.ok(timer !== undefined, 'no timer is set');
    this.time = timer.at;
    timer.callback();
  }
}

function supervise(overrides: Partial<SupervisorOptions> = {}) {
  const clock = new HandClock();
  const opened: FakeSession[] = [];
  const events: string[] = [];
  const supervisor = new SessionSupervisor({
    instances: 1,
    backoff: { initialMs: 100, maxMs: 1000, stableMs: 10_000 },
    open: () => {
      const session = new FakeSession();
      opened.push(session);
      return Promise.resolve(session);
    },
    verify: () => Promise.resolve(),
    onReady: () => events.push('ready'),
    onLost: (_, reason) => events.push(`lost: ${reason}`),
    hooks: {
      onRestartScheduled: ({ attempt, delayMs }) => events.push(`restart ${attempt} in ${delayMs}`),
      onInstanceLost: ({ pid, reason }) => pid === undefined && events.push(`failed: ${reason}`),
    },
    clock,
    random: () => 1,
    ...overrides,
  });
  return { supervisor, clock, opened, events };
}

/** Lets promises that are ready run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a supervisor', () => {
  it('announces a session only once it is verified', async () => {
    let pass: () => void = () => {};
    const { supervisor, events } = supervise({
      verify: () => new Promise((resolve) => (pass = resolve)),
    });
    const started = supervisor.start();
    await settle();
    assert.deepEqual([events, supervisor.readyCount], [[], 0]);
    pass();
    await started;
    assert.deepEqual([events, supervisor.readyCount], [['ready'], 1]);
    await supervisor.close();
  });

  it('replaces a lost session after a wait that doubles up to its cap', async () => {
    const { supervisor, clock, opened, events } = supervise();
    await supervisor.start();
    for (let loss = 0; loss < 6; loss++) {
      opened.at(-1)?.lose('killed');
      await settle();
      assert.equal(supervisor.readyCount, 0);
      clock.fire();
      await settle();
      assert.equal(supervisor.readyCount, 1);
    }
    assert.deepEqual(
      events.filter((event) => event.startsWith('restart')),
      [100, 200, 400, 800, 1000, 1000].map((delay, index) => `restart ${index + 1} in ${delay}`),
    );
    await supervisor.close();
  });

  it('counts afresh after a session that lived long', async () => {
    const { supervisor, clock, opened, events } = supervise();
    await supervisor.start();
    for (const livedMs of [0, 0, 10_000]) {
      clock.time += livedMs;
      opened.at(-1)?.lose('killed');
      await settle();
      clock.fire();
      await settle();
    }
    assert.deepEqual(
      events.filter((event) => event.startsWith('restart')),
      ['restart 1 in 100', 'restart 2 in 200', 'restart 1 in 100'],
    );
    await supervisor.close();
  });

  it('draws the upper half of the wait, so that replicas do not return together', async () => {
    const { supervisor, opened, events } = supervise({ random: () => 0 });
    await supervisor.start();
    opened[0]?.lose('killed');
    await settle();
    assert.ok(events.includes('restart 1 in 50'));
    await supervisor.close();
  });

  it('goes on trying when a replacement cannot be opened or verified', async () => {
    let openings = 0;
    let verifications = 0;
    const unfit = new FakeSession();
    const { supervisor, clock, events } = supervise({
      open: () => {
        openings++;
        if (openings === 2) return Promise.reject(new Error('no memory'));
        return Promise.resolve(openings === 3 ? unfit : new FakeSession());
      },
      verify: (session) => {
        verifications++;
        if (verifications === 1) setImmediate(() => (session as FakeSession).lose('killed'));
        return session === unfit ? Promise.reject(new Error('wrong logits')) : Promise.resolve();
      },
    });
    await supervisor.start();
    await settle();
    for (let attempt = 1; attempt <= 3; attempt++) {
      await settle();
      clock.fire();
      await settle();
    }
    assert.deepEqual(events, [
      'ready',
      'lost: killed',
      'restart 1 in 100',
      'failed: no memory',
      'restart 2 in 200',
      'failed: wrong logits',
      'restart 3 in 400',
      'ready',
    ]);
    assert.equal(unfit.closed, true);
    await supervisor.close();
  });

  it('fails its start when one session fails, and leaves none open', async () => {
    const sound = new FakeSession();
    let openings = 0;
    const { supervisor, events, clock } = supervise({
      instances: 2,
      open: () => (openings++ === 0 ? Promise.resolve(sound) : Promise.reject(new Error('not ONNX'))),
    });
    await assert.rejects(supervisor.start(), /not ONNX/);
    assert.equal(sound.closed, true);
    assert.deepEqual([supervisor.readyCount, clock.timers.length], [0, 0]);
    assert.deepEqual(events, ['ready']);
  });

  it('starts nothing once it is closed, not even what was scheduled', async () => {
    const { supervisor, clock, opened, events } = supervise({ instances: 2 });
    await supervisor.start();
    opened[0]?.lose('killed');
    await settle();
    assert.equal(clock.timers.length, 1);
    await supervisor.close();
    assert.deepEqual([clock.timers.length, opened.length, supervisor.readyCount], [0, 2, 0]);
    assert.deepEqual(
      events.filter((event) => event.startsWith('lost')),
      ['lost: killed'],
    );
  });

  it('closes a session that opens in the moment of closing, without verifying it', async () => {
    const { supervisor, opened } = supervise({ verify: () => assert.fail('it is not wanted any more') });
    const started = assert.rejects(supervisor.start(), /closed/);
    await supervisor.close();
    await started;
    assert.equal(opened[0]?.closed, true);
  });

  it('gives up an opening under way when it is closed', async () => {
    const { supervisor } = supervise({
      open: (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const started = supervisor.start();
    await settle();
    await supervisor.close();
    await assert.rejects(started, /closed/);
  });

  it('replaces a real process that was killed', async (t) => {
    const { spec, inputs } = fixtureModel('topics');
    const pids: number[] = [];
    const supervisor = new SessionSupervisor({
      instances: 2,
      backoff: { initialMs: 1, maxMs: 10, stableMs: 1000 },
      open: (signal) => openSession(spec, { openTimeoutMs: 30_000, runTimeoutMs: 30_000, signal }),
      verify: async (session) => {
        await session.run(inputs);
      },
      onReady: ({ info }) => pids.push(info.pid),
      onLost: () => {},
    });
    t.after(() => supervisor.close());
    await supervisor.start();
    assert.equal(supervisor.readyCount, 2);
    const [victim = 0] = pids;
    process.kill(victim, 'SIGKILL');
    await until('three processes have started', () => pids.length === 3);
    assert.equal(supervisor.readyCount, 2);
    await supervisor.close();
    assert.deepEqual(pids.map(isAlive), [false, false, false]);
  });
});
