import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, describe, it } from 'node:test';
import { VerdictError } from '../../src/errors.js';
import { Lifecycle, type LifecycleStep, StartError } from '../../src/lifecycle.js';
import { onStopSignals } from '../../src/signals.js';

/** Timers that run when the test says so. */
class ManualTimers {
  #now = 0;
  #nextId = 0;
  readonly pending = new Map<unknown, { at: number; callback: () => void }>();

  setTimeout(callback: () => void, delayMs: number): unknown {
    const id = this.#nextId++;
    this.pending.set(id, { at: this.#now + delayMs, callback });
    return id;
  }

  clearTimeout(id: unknown): void {
    this.pending.delete(id);
  }

  async advance(ms: number): Promise<void> {
    await new Promise(setImmediate);
    this.#now += ms;
    for (const [id, { at, callback }] of this.pending) {
      if (at <= this.#now && this.pending.delete(id)) callback();
    }
    await new Promise(setImmediate);
  }
}

const never = new Promise<never>(() => {});
let timers: ManualTimers;
let events: string[];
beforeEach(() => {
  timers = new ManualTimers();
  events = [];
});

function step(name: string, more: Partial<LifecycleStep> = {}): LifecycleStep {
  return {
    name,
    start: () => events.push(`start ${name}`),
    stop: () => events.push(`stop ${name}`),
    ...more,
  };
}

function lifecycle(...steps: LifecycleStep[]): Lifecycle {
  return new Lifecycle({ steps, stopTimeoutMs: 10_000, timers });
}

describe('starting', () => {
  it('goes in order, one after the other, and stopping in reverse order', async () => {
    const slow = step('b', {
      start: async () => {
        await new Promise(setImmediate);
        events.push('start b');
      },
    });
    const life = lifecycle(step('a'), slow, step('c'));
    await life.start();
    assert.deepEqual(await life.stop(), { clean: true, unfinished: [], failures: [] });
    assert.deepEqual(events, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
    assert.equal(timers.pending.size, 0);
  });

  it('that fails names the step, and stops what had started and nothing else', async () => {
    const cause = new Error('the port is taken');
    const failing = step('server', { start: () => Promise.reject(cause) });
    const life = lifecycle(step('a'), step('b'), failing, step('c'));
    await assert.rejects(life.start(), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.message, 'Could not start the server: the port is taken');
      assert.deepEqual([error.step, error.cause], ['server', cause]);
      return true;
    });
    assert.deepEqual(events, ['start a', 'start b', 'stop b', 'stop a']);
    assert.equal((await life.stop()).clean, true);
    assert.equal(events.length, 4);
  });

  it('happens once', async () => {
    const life = lifecycle(step('a'));
    await Promise.all([life.start(), life.start()]);
    assert.deepEqual(events, ['start a']);
  });

  it('ends when a stop is asked for meanwhile: the step under way is told, finished and stopped', async () => {
    const slow = step('b', {
      start: (signal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            events.push('told b');
            resolve();
          });
        }),
    });
    const life = lifecycle(step('a'), slow, step('c'));
    const started = life.start();
    await new Promise(setImmediate);
    const stopped = life.stop();
    await assert.rejects(started, (error) => error instanceof VerdictError && error.code === 'cancelled');
    assert.equal((await stopped).clean, true);
    assert.deepEqual(events, ['start a', 'told b', 'stop b', 'stop a']);
  });

  it('that waits for a part which has started ends when that part is stopped', async () => {
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const deaf = step('b', { start: () => released });
    const life = lifecycle(step('a', { stop: () => release() }), deaf, step('c'));
    const started = life.start();
    await new Promise(setImmediate);
    const stopped = life.stop();
    await timers.advance(2_499);
    assert.deepEqual(events, ['start a']);
    await timers.advance(1);
    assert.deepEqual(await stopped, { clean: true, unfinished: [], failures: [] });
    assert.deepEqual(events, ['start a', 'stop b']);
    await assert.rejects(started, { code: 'cancelled' });
    assert.equal(timers.pending.size, 0);
  });

  it('that ends while a part is stopped is stopped once, and so is that part', async () => {
    let endStart: () => void = () => {};
    let endStop: () => void = () => {};
    const slow = step('a', {
      start: () => {},
      stop: () =>
        new Promise<void>((resolve) => {
          events.push('stop a');
          endStop = resolve;
        }),
    });
    const deaf = step('b', {
      start: () =>
        new Promise<void>((resolve) => {
          endStart = resolve;
        }),
    });
    const life = lifecycle(slow, deaf);
    const started = life.start();
    await new Promise(setImmediate);
    const stopped = life.stop();
    await timers.advance(2_500);
    endStart();
    await assert.rejects(started, { code: 'cancelled' });
    endStop();
    assert.deepEqual(await stopped, { clean: true, unfinished: [], failures: [] });
    assert.deepEqual(events, ['stop a', 'stop b']);
  });

  it('that never ends does not keep a stop from ending, nor other parts from being stopped', async () => {
    const life = lifecycle(step('a'), step('b', { start: () => never }));
    void life.start();
    await new Promise(setImmediate);
    const stopped = life.stop();
    await timers.advance(2_500);
    await timers.advance(7_500);
    assert.deepEqual(await stopped, { clean: false, unfinished: ['b'], failures: [] });
    assert.deepEqual(events, ['start a', 'stop a']);
  });

  it('that never ends is not waited for when the stop is forced', async () => {
    const life = lifecycle(step('a'), step('b', { start: () => never }));
    void life.start();
    await new Promise(setImmediate);
    const stopped = life.force();
    await timers.advance(0);
    assert.deepEqual(events, ['start a', 'stop a']);
    await timers.advance(2_000);
    assert.deepEqual(await stopped, { clean: false, unfinished: ['b'], failures: [] });
  });
});

describe('stopping', () => {
  it('happens once, and gives the same report again', async () => {
    const life = lifecycle(step('a'));
    await life.start();
    const [first, second] = await Promise.all([life.stop(), life.stop()]);
    assert.equal(first, second);
    assert.deepEqual(events, ['start a', 'stop a']);
  });

  it('goes on after a step that fails, and reports it', async () => {
    const error = new Error('stuck');
    const life = lifecycle(step('a'), step('b', { stop: () => Promise.reject(error) }));
    await life.start();
    assert.deepEqual(await life.stop(), { clean: false, unfinished: [], failures: [{ step: 'b', error }] });
    assert.ok(events.includes('stop a'));
  });

  it('stops being graceful two seconds before its time is up, so that every step still ends in time', async () => {
    const graceful = step('b', {
      stop: (signal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            events.push('forced b');
            resolve();
          });
        }),
    });
    const forcedFromTheStart = step('a', {
      stop: (signal) => events.push(`stop a, forced: ${signal.aborted}`),
    });
    const life = lifecycle(forcedFromTheStart, graceful);
    await life.start();
    const stopped = life.stop();
    await timers.advance(7_999);
    assert.ok(!events.includes('forced b'));
    await timers.advance(1);
    assert.deepEqual(await stopped, { clean: false, unfinished: [], failures: [] });
    assert.deepEqual(events.slice(2), ['forced b', 'stop a, forced: true']);
    assert.equal(timers.pending.size, 0);
  });

  it('ends in time when a step never does, and names those that are left', async () => {
    const life = lifecycle(step('a'), step('b', { stop: () => never }), step('c'));
    await life.start();
    const stopped = life.stop();
    await timers.advance(10_000);
    assert.deepEqual(await stopped, { clean: false, unfinished: ['b', 'a'], failures: [] });
    assert.equal(timers.pending.size, 0);
  });

  it('that is forced tells the step under way at once, and does not wait long for it', async () => {
    const stubborn = step('a', {
      stop: (signal) => {
        signal.addEventListener('abort', () => events.push('forced a'));
        return never;
      },
    });
    const life = lifecycle(stubborn);
    await life.start();
    const stopped = life.stop();
    await timers.advance(0);
    const forced = life.force();
    assert.ok(events.includes('forced a'));
    await timers.advance(1_000);
    void life.force();
    await timers.advance(1_000);
    assert.deepEqual((await stopped).unfinished, ['a']);
    assert.equal(await forced, await stopped);
  });

  it('may be forced from the first', async () => {
    const life = lifecycle(step('a', { stop: (signal) => events.push(`forced: ${signal.aborted}`) }));
    await life.start();
    assert.equal((await life.force()).clean, false);
    assert.deepEqual(events, ['start a', 'forced: true']);
  });

  it('before anything was started does nothing', async () => {
    const life = lifecycle(step('a'));
    assert.equal((await life.stop()).clean, true);
    await assert.rejects(life.start(), { code: 'cancelled' });
    assert.deepEqual(events, []);
  });
});

describe('stop signals', () => {
  let source: EventEmitter;
  let now: number;
  let unlisten: () => void;
  beforeEach(() => {
    source = new EventEmitter();
    now = 0;
    unlisten = onStopSignals(source, {
      stop: (signal) => events.push(`stop ${signal}`),
      force: (signal) => events.push(`force ${signal}`),
      now: () => now,
    });
  });
  const send = (signal: string, at: number) => {
    now = at;
    source.emit(signal, signal);
  };

  it('the first one stops, whichever it is, and a later one forces', () => {
    send('SIGTERM', 0);
    send('SIGINT', 5_000);
    assert.deepEqual(events, ['stop SIGTERM', 'force SIGINT']);
  });

  it('one that npm passes on after the terminal sent it already does not count twice', () => {
    send('SIGINT', 0);
    send('SIGINT', 3);
    send('SIGINT', 1_000);
    assert.deepEqual(events, ['stop SIGINT', 'force SIGINT']);
  });

  it('are no longer heard once nobody wants them', () => {
    unlisten();
    assert.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0);
  });
});
