import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { SelfTest, type SelfTestTimers } from '../../../src/models/self-test.js';
import { encodedText } from '../../../src/preprocessing/text-preprocessor.js';
import type { Encoded } from '../../../src/runtime/feeds.js';
import type { RunResult, Session } from '../../../src/runtime/types.js';

const TEST = encodedText({ ids: Int32Array.of(1, 2), pairStart: 2, truncated: false });
const BATCH = encodedText({ ids: Int32Array.of(1, 7, 2), pairStart: 3, truncated: false });

/** A session that answers when the test says so, and fails as the real one does when it is given two batches at once. */
class FakeSession implements Session {
  readonly info = { pid: 1, device: 'cpu', inputs: [], loadMs: 1 } as unknown as Session['info'];
  readonly lost: Promise<string>;
  readonly asked: { batch: readonly Encoded[]; limitMs: number | undefined }[] = [];
  readonly killed: string[] = [];
  lose: (reason: string) => void = () => {};
  #settle: { resolve(result: RunResult): void; reject(error: Error): void } | undefined;

  constructor() {
    this.lost = new Promise((resolve) => {
      this.lose = resolve;
    });
  }

  run(batch: readonly Encoded[], limitMs?: number): Promise<RunResult> {
    assert.equal(this.#settle, undefined, 'one at a time');
    this.asked.push({ batch, limitMs });
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  async close(): Promise<void> {}

  kill(reason: string): void {
    this.killed.push(reason);
  }

  async answer(error?: Error): Promise<void> {
    const settle = this.#settle;
    this.#settle = undefined;
    if (error === undefined) settle?.resolve({ logits: [Float32Array.of(1)], runMs: 1 });
    else settle?.reject(error);
    await new Promise(setImmediate);
  }
}

let look: () => void;
const timers: SelfTestTimers = {
  every: (_intervalMs, callback) => {
    look = callback;
    return () => {
      look = () => {};
    };
  },
};
let test: SelfTest;
let stopped: boolean;
beforeEach(() => {
  stopped = false;
  look = () => assert.fail('no timer was set');
  test = new SelfTest(TEST, { intervalMs: 5_000, limitMs: 800, timers, isStopped: () => stopped });
});

describe('a self-test', () => {
  it('is run by a session that has answered nothing for an interval, with a limit of its own', async () => {
    const session = new FakeSession();
    test.watch(session);
    look();
    assert.deepEqual(session.asked, [], 'it was proven when it was opened');
    look();
    assert.deepEqual(session.asked, [{ batch: [TEST], limitMs: 800 }]);
    look();
    assert.equal(session.asked.length, 1, 'one is under way');
    await session.answer();
    look();
    assert.equal(session.asked.length, 1, 'it has just been passed');
    look();
    assert.equal(session.asked.length, 2);
  });

  it('is not run by a session that callers keep busy', async () => {
    const session = new FakeSession();
    const watched = test.watch(session);
    for (let round = 0; round < 3; round++) {
      const result = watched.run([BATCH]);
      look();
      look();
      await session.answer();
      await result;
      look();
    }
    assert.deepEqual(
      session.asked.map(({ batch }) => batch),
      [[BATCH], [BATCH], [BATCH]],
    );
  });

  it('is waited for by a batch that comes meanwhile, which then runs with its own limit', async () => {
    const session = new FakeSession();
    const watched = test.watch(session);
    look();
    look();
    const result = watched.run([BATCH, BATCH]);
    assert.equal(session.asked.length, 1);
    await session.answer();
    assert.deepEqual(session.asked[1], { batch: [BATCH, BATCH], limitMs: undefined });
    await session.answer();
    assert.equal((await result).runMs, 1);
  });

  it('that fails tells the caller behind it nothing: the session does', async () => {
    const session = new FakeSession();
    const watched = test.watch(session);
    look();
    look();
    const refused = assert.rejects(watched.run([BATCH]), /^Error: gone$/);
    await session.answer(new Error('took longer than 800 ms over a batch and was killed'));
    await session.answer(new Error('gone'));
    await refused;
  });

  it('does not wait for a process that is stopped: it is killed at the second look, in a run too', async () => {
    const [idle, busy] = [new FakeSession(), new FakeSession()];
    test.watch(idle);
    void test.watch(busy).run([BATCH]);
    stopped = true;
    look();
    look();
    assert.deepEqual([idle.killed, busy.killed], [[], []]);
    stopped = false;
    look();
    stopped = true;
    look();
    assert.deepEqual([idle.killed, busy.killed], [[], []], 'it went on meanwhile');
    look();
    const reason = 'was stopped (SIGSTOP) and was killed';
    assert.deepEqual([idle.killed, busy.killed], [[reason], [reason]]);
  });

  it('ends with its session, and with all', async () => {
    const [lost, kept] = [new FakeSession(), new FakeSession()];
    test.watch(lost);
    test.watch(kept);
    lost.lose('killed');
    await new Promise(setImmediate);
    look();
    look();
    assert.deepEqual([lost.asked.length, kept.asked.length], [0, 1]);
    await kept.answer();
    test.close();
    look();
    look();
    assert.equal(kept.asked.length, 1);
  });

  it('is not made where the interval is 0', () => {
    const never = new SelfTest(TEST, {
      intervalMs: 0,
      limitMs: 1,
      timers: { every: () => assert.fail('a timer was set') },
    });
    never.watch(new FakeSession());
  });
});
