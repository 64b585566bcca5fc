import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { VerdictError } from '../../../src/errors.js';
import type { ThreadRequest } from '../../../src/tokenizer/thread-messages.js';
import { TokenizerPool, type TokenizerPoolOptions } from '../../../src/tokenizer/tokenizer-pool.js';
import { startTokenizerThread } from '../../../src/tokenizer/tokenizer-thread.js';
import type { Tokenizer } from '../../../src/tokenizer/types.js';
import { startDelicateThread } from '../../support/delicate-thread.js';
import { writeLargeTokenizer } from '../../support/large-tokenizer.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { until } from '../../support/until.js';
import { sourceOf, TOPICS } from '../../unit/tokenizer/fixture-tokenizer.js';

/** A wake-up that is lost shows as a test that never ends. */
const PATIENCE = { timeout: 60_000 };
const NOTHING = new Uint8Array(new SharedArrayBuffer(0));

function poolOf(t: TestContext, options: Partial<TokenizerPoolOptions> = {}) {
  const lost: string[] = [];
  const threads: Worker[] = [];
  const start = options.startThread ?? startDelicateThread;
  const pool = new TokenizerPool({
    workers: 1,
    quietMs: Number.POSITIVE_INFINITY,
    hooks: {
      onThreadLost: (reason) => lost.push(reason),
    },
    ...options,
    startThread: () => {
      const thread = start();
      threads.push(thread);
      return thread;
    },
  });
  t.after(() => pool.close());
  return { pool, lost, threads };
}

function folder(t: TestContext): string {
  const path = temporaryFolder(t);
  cpSync(join(TOPICS, 'tokenizer.json'), join(path, 'tokenizer.json'));
  return path;
}

/** How many ended in which way: tokens, or the reason of an error. */
async function outcomes(encodings: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.allSettled(encodings)) {
    let name = 'encoded';
    if (outcome.status === 'rejected') {
      name = outcome.reason instanceof VerdictError ? outcome.reason.reason : String(outcome.reason);
    }
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const encodeAll = (tokenizer: Tokenizer, texts: readonly string[]) =>
  texts.map((text) => tokenizer.encode({ text }, 'end'));

/** Several messages of them. */
const innocents = Array.from({ length: 400 }, (_, index) => `the match ${index} `.repeat(5));

describe('texts that wait while tokenizers are loaded', () => {
  for (const workers of [1, 2]) {
    it(`are tokenised once that is done, by ${workers}`, PATIENCE, async (t) => {
      const { pool } = poolOf(t, { workers, startThread: startTokenizerThread });
      const large = folder(t);
      writeLargeTokenizer(join(TOPICS, 'tokenizer.json'), join(large, 'tokenizer.json'));
      const tokenizer = await pool.load(sourceOf(TOPICS, 64));
      const loading = [pool.load(sourceOf(large, 64)), pool.load(sourceOf(large, 64))];
      assert.equal((await tokenizer.encode({ text: 'soup' }, 'end')).ids.length, 3);
      for (const other of await Promise.all(loading)) {
        assert.equal((await other.encode({ text: 'soup word0x' }, 'end')).ids.length, 4);
      }
    });
  }
});

describe('a tokenizer thread that is lost', () => {
  for (const workers of [1, 2]) {
    for (const word of ['THROW', 'EXIT', 'SPIN']) {
      it(`over one text fails that one alone: ${word}, ${workers} in all`, PATIENCE, async (t) => {
        const { pool, lost } = poolOf(t, { workers, stallTimeoutMs: 400 });
        const tokenizers = await Promise.all([1, 2, 3].map(() => pool.load(sourceOf(TOPICS, 64))));
        const [tokenizer] = tokenizers;
        assert.ok(tokenizer !== undefined);
        const texts = innocents.with(7, `a text to ${word} over`);
        assert.deepEqual(await outcomes(encodeAll(tokenizer, texts)), { encoded: 399, TOKENIZER_LOST: 1 });
        assert.equal(lost.length, 2);
        for (const other of tokenizers) {
          assert.deepEqual(await outcomes(encodeAll(other, ['soup', 'law'])), { encoded: 2 });
        }
      });
    }
  }

  it('again and again leaves others their turn between the texts that end it', PATIENCE, async (t) => {
    const { pool } = poolOf(t);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    const order: string[] = [];
    const note = (text: string) =>
      tokenizer.encode({ text }, 'end').then(
        () => order.push('encoded'),
        () => order.push('lost'),
      );
    const lost = ['EXIT 1', 'EXIT 2', 'EXIT 3'].map(note);
    await new Promise((resolve) => setImmediate(resolve));
    const others = ['x '.repeat(5000), 'y '.repeat(5000), 'z '.repeat(5000)].map(note);
    await Promise.all([...lost, ...others]);
    assert.deepEqual(order.slice(0, 2), ['lost', 'encoded']);
    assert.equal(order.filter((word) => word === 'lost').length, 3);
  });

  it('by no fault of its texts costs none of them', PATIENCE, async (t) => {
    const { pool, threads, lost } = poolOf(t);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    const big = 'the match '.repeat(100_000);
    const encodings = encodeAll(tokenizer, [big, 'soup', 'law']);
    await new Promise((resolve) => setImmediate(resolve));
    await threads[0]?.terminate();
    assert.deepEqual(await outcomes(encodings), { encoded: 3 });
    assert.deepEqual([threads.length, lost.length], [2, 1]);
  });

  it('leaves its work to the others while its successor gets ready', PATIENCE, async (t) => {
    let started = 0;
    const { pool, threads } = poolOf(t, {
      workers: 2,
      // The successor never comes to answer.
      startThread: () =>
        ++started > 2 ? new Worker('setInterval(() => {}, 1000)', { eval: true }) : startTokenizerThread(),
    });
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    const before = encodeAll(tokenizer, innocents);
    await threads[0]?.terminate();
    await until('the successor has been started', () => threads.length === 3);
    assert.deepEqual(await outcomes([...before, ...encodeAll(tokenizer, innocents)]), { encoded: 800 });
  });

  it('is replaced as often as it is lost, with all tokenizers in it', PATIENCE, async (t) => {
    const { pool, threads } = poolOf(t);
    const tokenizers = await Promise.all([8, 64].map((limit) => pool.load(sourceOf(TOPICS, limit))));
    for (let losses = 1; losses <= 3; losses++) {
      await threads.at(-1)?.terminate();
      const results = await Promise.all(
        tokenizers.map((tokenizer) => tokenizer.encode({ text: 'goal '.repeat(20) }, 'end')),
      );
      assert.deepEqual(
        results.map(({ ids }) => ids.length),
        [8, 22],
      );
    }
    assert.equal(threads.length, 4);
  });

  it('has a successor though it cannot be ended: it is in a call to the system', PATIENCE, async (t) => {
    const pipe = join(temporaryFolder(t), 'pipe');
    execFileSync('mkfifo', [pipe]);
    // Who reads waits until this is closed.
    const writer = openSync(pipe, 'r+');
    t.after(() => closeSync(writer));
    const stuck = [new Worker(`require('node:fs').readFileSync(${JSON.stringify(pipe)})`, { eval: true })];
    const { pool, lost } = poolOf(t, {
      loadTimeoutMs: 400,
      stallTimeoutMs: 400,
      endGraceMs: 50,
      startThread: () => stuck.pop() ?? startTokenizerThread(),
    });
    await assert.rejects(pool.load(sourceOf(TOPICS, 64)), /the tokenizer thread was stuck for 400 ms/);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    assert.equal((await tokenizer.encode({ text: 'soup' }, 'end')).ids.length, 3);
    assert.equal(lost.length, 1);
  });

  it('while it reads a tokenizer fails that load, and is replaced', PATIENCE, async (t) => {
    const onMessage = "require('node:worker_threads').parentPort.on('message', () => process.exit(3))";
    const first = [new Worker(onMessage, { eval: true }), new Worker('for (;;);', { eval: true })];
    const { pool, lost, threads } = poolOf(t, {
      loadTimeoutMs: 400,
      stallTimeoutMs: 400,
      startThread: () => first.pop() ?? startTokenizerThread(),
    });
    await assert.rejects(pool.load(sourceOf(TOPICS, 64)), /the tokenizer thread was stuck for 400 ms/);
    assert.deepEqual(lost, ['was stuck for 400 ms']);
    await until('a successor has been started', () => threads.length === 2);
    await assert.rejects(pool.load(sourceOf(TOPICS, 64)), /the tokenizer thread exited with code 3/);
    assert.equal(
      (await (await pool.load(sourceOf(TOPICS, 64))).encode({ text: 'soup' }, 'end')).ids.length,
      3,
    );
  });

  it(
    'is replaced again when its successors end at once or cannot be started, and no text is lost with those',
    PATIENCE,
    async (t) => {
      let started = 0;
      const { pool, lost, threads } = poolOf(t, {
        startThread: () => {
          started++;
          if (started === 2) return new Worker('process.exit(3)', { eval: true });
          if (started === 3) throw new Error('EMFILE');
          return startTokenizerThread();
        },
      });
      const tokenizer = await pool.load(sourceOf(TOPICS, 64));
      await threads[0]?.terminate();
      assert.equal((await tokenizer.encode({ text: 'soup' }, 'end')).ids.length, 3);
      assert.deepEqual(lost.slice(1), ['exited with code 3', 'could not be started: EMFILE']);
    },
  );

  it(
    'and not replaced has its texts refused after a while, and new ones at once, until one answers',
    PATIENCE,
    async (t) => {
      let mayStart = true;
      const { pool, threads, lost } = poolOf(t, {
        maxWaitMs: 300,
        startThread: () => {
          if (!mayStart) throw new Error('EMFILE');
          return startTokenizerThread();
        },
      });
      const tokenizer = await pool.load(sourceOf(TOPICS, 64));
      mayStart = false;
      await threads[0]?.terminate();
      await until('its loss is noticed', () => lost.length > 1);
      assert.deepEqual(await outcomes(encodeAll(tokenizer, ['soup', 'law'])), { TOKENIZER_AWAY: 2 });
      assert.deepEqual(await outcomes(encodeAll(tokenizer, ['soup'])), { TOKENIZER_AWAY: 1 });
      mayStart = true;
      await until('texts are tokenised again', () =>
        tokenizer.encode({ text: 'soup' }, 'end').then(
          () => true,
          () => false,
        ),
      );
    },
  );

  it('has a successor with the same tokenizer, whatever became of the files', PATIENCE, async (t) => {
    const path = folder(t);
    const { pool, threads } = poolOf(t);
    const [removed, changed] = await Promise.all([64, 32].map((limit) => pool.load(sourceOf(path, limit))));
    const ids = async (tokenizer?: Tokenizer) => (await tokenizer?.encode({ text: 'soup' }, 'end'))?.ids;
    const before = await ids(changed);
    const file = join(path, 'tokenizer.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"soup"', '"soap"'));
    await threads[0]?.terminate();
    assert.deepEqual(await ids(changed), before);
    rmSync(file);
    await threads[1]?.terminate();
    assert.deepEqual(await ids(removed), before);
    assert.equal(threads.length, 3);
  });

  it(
    'leaves nobody a tokenizer that was closed before its successor had read it again',
    PATIENCE,
    async (t) => {
      let started = 0;
      const sent: string[] = [];
      const { pool, threads } = poolOf(t, {
        startThread: () => {
          started++;
          // The first successor never comes to answer.
          if (started === 2) return new Worker('setInterval(() => {}, 1000)', { eval: true });
          const thread = startTokenizerThread();
          const post = thread.postMessage.bind(thread);
          thread.postMessage = (request: ThreadRequest) => {
            if (started === 3 && request.kind !== 'encode') sent.push(`${request.kind} ${request.tokenizer}`);
            post(request);
          };
          return thread;
        },
      });
      const kept = await pool.load(sourceOf(TOPICS, 64));
      const closed = await pool.load(sourceOf(TOPICS, 32));
      await threads[0]?.terminate();
      await until('the successor has been started', () => threads.length === 2);
      closed.close();
      await threads[1]?.terminate();
      assert.deepEqual(await outcomes(encodeAll(kept, ['soup', 'law'])), { encoded: 2 });
      assert.deepEqual(sent, ['load 0']);
    },
  );

  it('is replaced again where its successor cannot read a tokenizer', PATIENCE, async (t) => {
    let started = 0;
    const { pool, threads, lost } = poolOf(t, {
      startThread: () => (++started === 2 ? forgetfulThread() : startTokenizerThread()),
    });
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    await threads[0]?.terminate();
    assert.deepEqual(await outcomes(encodeAll(tokenizer, ['soup', 'law'])), { encoded: 2 });
    assert.match(
      lost[1] ?? '',
      /could not read a tokenizer again: .*tokenizer\.json: not valid JSON: Unexpected end/,
    );
    assert.equal(threads.length, 3);
  });
});

/** The real thread, which finds nothing in the files that it is given. */
function forgetfulThread(): Worker {
  const thread = startTokenizerThread();
  const post = thread.postMessage.bind(thread);
  thread.postMessage = (message: object) =>
    post(
      'files' in message
        ? { ...message, files: { ...Object(message.files), tokenizerJson: NOTHING } }
        : message,
    );
  return thread;
}

describe('a text that takes long', () => {
  it('does not make its thread a stuck one: it has time for each character', PATIENCE, async (t) => {
    const { pool, lost } = poolOf(t, { stallTimeoutMs: 100 });
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    const texts = ['[SEP][CLS]'.repeat(100_000), 'the match '.repeat(100_000)];
    assert.deepEqual(await outcomes(encodeAll(tokenizer, texts)), { encoded: 2 });
    assert.deepEqual(lost, []);
  });
});
