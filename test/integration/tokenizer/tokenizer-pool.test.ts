import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { VerdictError } from '../../../src/errors.js';
import { TokenizerPool, type TokenizerPoolOptions } from '../../../src/tokenizer/tokenizer-pool.js';
import { startTokenizerThread } from '../../../src/tokenizer/tokenizer-thread.js';
import type { Encoding, TextInput } from '../../../src/tokenizer/types.js';
import {
  directTokenizer,
  encoded,
  sourceOf,
  TOPICS,
  topicsJson,
} from '../../unit/tokenizer/fixture-tokenizer.js';

function poolOf(t: TestContext, options: Partial<TokenizerPoolOptions> = {}) {
  const threads: Worker[] = [];
  const lost: string[] = [];
  const pool = new TokenizerPool({
    workers: 1,
    quietMs: Number.POSITIVE_INFINITY,
    startThread: () => {
      const thread = startTokenizerThread();
      threads.push(thread);
      return thread;
    },
    hooks: { onThreadLost: (reason) => lost.push(reason) },
    ...options,
  });
  t.after(() => pool.close());
  return { pool, threads, lost };
}

const shape = ({ ids, pairStart, truncated }: Encoding) => ({ ids: Array.from(ids), pairStart, truncated });

function isVerdictError(code: string, reason: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof VerdictError);
    assert.deepEqual([error.code, error.reason], [code, reason]);
    return true;
  };
}

describe('a tokenizer pool', () => {
  it('shares a tokenizer among models with the same files, and forgets it with the last of them', async (t) => {
    const messages: string[] = [];
    const threads: Worker[] = [];
    const { pool } = poolOf(t, {
      startThread: () => {
        const thread = startTokenizerThread();
        const post = thread.postMessage.bind(thread);
        thread.postMessage = (message: { kind: string; tokenizer: number }) => {
          if (message.kind !== 'encode') messages.push(`${message.kind} ${message.tokenizer}`);
          post(message);
        };
        threads.push(thread);
        return thread;
      },
    });
    const [one, other] = await Promise.all([64, 64].map((limit) => pool.load(sourceOf(TOPICS, limit))));
    const shorter = await pool.load(sourceOf(TOPICS, 32));
    assert.deepEqual(messages, ['load 0', 'load 1']);
    one?.close();
    one?.close();
    const ids = async () => (await other?.encode({ text: 'soup' }, 'end'))?.ids;
    const before = await ids();
    assert.ok(before !== undefined && before.length > 0);
    other?.close();
    assert.deepEqual(messages.splice(0), ['load 0', 'load 1', 'unload 0']);
    await assert.rejects(ids(), { reason: 'TOKENIZER_FAILED' }, 'no thread holds it any more');

    await threads[0]?.terminate();
    const again = await pool.load(sourceOf(TOPICS, 64));
    assert.deepEqual((await again.encode({ text: 'soup' }, 'end')).ids, before);
    assert.deepEqual(messages, ['load 1', 'load 2'], 'a successor reads what is still in use');
    shorter.close();
  });

  it('forgets a tokenizer that one of its threads could not read, and reads it again when it is wanted', async (t) => {
    let spoils = true;
    const kinds: string[] = [];
    const { pool } = poolOf(t, {
      workers: 2,
      startThread: () => {
        const thread = startTokenizerThread();
        const post = thread.postMessage.bind(thread);
        thread.postMessage = (message: { kind: string; files?: object }) => {
          kinds.push(message.kind);
          const isSpoilt = spoils && message.kind === 'load';
          spoils &&= !isSpoilt;
          post(
            isSpoilt ? { ...message, files: { ...message.files, tokenizerJson: new Uint8Array() } } : message,
          );
        };
        return thread;
      },
    });
    await assert.rejects(pool.load(sourceOf(TOPICS, 64)), /tokenizer\.json: not valid JSON/);
    assert.deepEqual(kinds.splice(0), ['load', 'load', 'unload', 'unload']);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    assert.ok((await tokenizer.encode({ text: 'soup' }, 'end')).ids.length > 0);
    assert.deepEqual(kinds, ['load', 'load', 'encode']);
  });

  for (const workers of [1, 3]) {
    it(`of ${workers} gives every caller the tokens of its own text, for any mixture and order`, async (t) => {
      const { pool } = poolOf(t, { workers });
      const [short, long] = await Promise.all([
        pool.load(sourceOf(TOPICS, 8)),
        pool.load(sourceOf(TOPICS, 64)),
      ]);
      const direct = { short: directTokenizer(8), long: directTokenizer(64) };
      const text = fc.oneof(
        fc.constantFrom('match', 'the soup', 'a vote on data', '日本 料理', '😀', ''),
        fc.string({ unit: 'grapheme' }),
      );
      const job = fc.record({
        which: fc.constantFrom('short' as const, 'long' as const),
        input: fc.record({ text, textPair: text }, { requiredKeys: ['text'] }),
        truncation: fc.constantFrom('end' as const, 'start' as const),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(job, { maxLength: 60 }), async (jobs) => {
          const results = await Promise.all(
            jobs.map(({ which, input, truncation }) =>
              (which === 'short' ? short : long).encode(input as TextInput, truncation),
            ),
          );
          assert.deepEqual(
            results.map(shape),
            jobs.map(({ which, input, truncation }) =>
              shape(encoded(direct[which], input as TextInput, truncation)),
            ),
          );
        }),
        { numRuns: 50 },
      );
    });
  }

  it('refuses what is too long under reject, naming the field, the length and the limit', async (t) => {
    const { pool } = poolOf(t);
    const tokenizer = await pool.load(sourceOf(TOPICS, 8));
    assert.equal(tokenizer.maxTokens, 8);
    assert.equal(tokenizer.padId, 0);
    const seven = 'goal '.repeat(7);
    const [single, pair, fitting] = await Promise.allSettled([
      tokenizer.encode({ text: seven }, 'reject'),
      tokenizer.encode({ text: 'goal', textPair: seven }, 'reject'),
      tokenizer.encode({ text: 'goal '.repeat(6) }, 'reject'),
    ]);
    const violations = [single, pair].map((outcome) => {
      assert.ok(outcome?.status === 'rejected' && outcome.reason instanceof VerdictError);
      assert.equal(outcome.reason.code, 'invalid_argument');
      return outcome.reason.violations[0];
    });
    const described = 'tokens long, special tokens included; the model reads at most 8';
    assert.deepEqual(violations, [
      { field: 'text', description: `is 9 ${described}` },
      { field: 'pair', description: `is 11 ${described}` },
    ]);
    assert.equal(fitting?.status, 'fulfilled');
  });

  it('takes texts of any size and any characters', async (t) => {
    const { pool } = poolOf(t);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    const texts = [
      '',
      '\0',
      '\0'.repeat(8192),
      ' '.repeat(8192),
      '\ud800',
      '\udc00\ud800'.repeat(4096),
      '日本語'.repeat(2730),
      '😀'.repeat(4096),
      `a${'\u0301'.repeat(8191)}`,
      'a'.repeat(8192),
      '.'.repeat(8192),
      '[SEP][CLS]'.repeat(800),
      'the match '.repeat(100_000),
    ];
    const direct = directTokenizer(64);
    const results = await Promise.all(texts.map((text) => tokenizer.encode({ text }, 'end')));
    assert.deepEqual(
      results.map(shape),
      texts.map((text) => shape(encoded(direct, { text }, 'end'))),
    );
  });

  it('says which file it cannot read, and goes on', async (t) => {
    const { pool } = poolOf(t);
    await assert.rejects(pool.load(sourceOf('/nowhere', 64)), /^Error: \/nowhere\/tokenizer\.json: ENOENT/);
    await assert.rejects(pool.load(sourceOf(TOPICS, 1)), /tokenizer\.json: a limit of 1 tokens is too small/);
    const device = { ...sourceOf(TOPICS, 64), tokenizerJsonPath: '/dev/null' };
    await assert.rejects(pool.load(device), /^Error: \/dev\/null: is not a regular file$/);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    assert.ok((await tokenizer.encode({ text: 'soup' }, 'end')).ids.length > 2);
  });

  it('reads a tokenizer that has no tokenizer_config.json', async (t) => {
    const { pool } = poolOf(t);
    const source = { ...sourceOf(TOPICS, 64), tokenizerConfigPath: '/nowhere/tokenizer_config.json' };
    assert.equal((await pool.load(source)).padId, 0);
  });

  it('tokenises a short text that comes alone as the threads would, and without them', async (t) => {
    const messages: string[] = [];
    const startThread = () => {
      const thread = startTokenizerThread();
      const post = thread.postMessage.bind(thread);
      thread.postMessage = (message: { readonly kind: string }) => {
        messages.push(message.kind);
        post(message);
      };
      return thread;
    };
    const { pool } = poolOf(t, { quietMs: 0, startThread });
    const tokenizer = await pool.load(sourceOf(TOPICS, 8));
    const direct = directTokenizer(8);
    for (const input of [
      { text: 'the match' },
      { text: '日本 😀' },
      { text: 'a vote', textPair: 'on data' },
    ]) {
      assert.deepEqual(shape(await tokenizer.encode(input, 'end')), shape(encoded(direct, input, 'end')));
    }
    await assert.rejects(
      tokenizer.encode({ text: 'a vote on it and on that and more' }, 'reject'),
      isVerdictError('invalid_argument', 'INVALID_FIELD'),
    );
    assert.deepEqual(messages, ['load']);
  });

  it('drops texts that nobody waits for any more', async (t) => {
    const { pool } = poolOf(t);
    const tokenizer = await pool.load(sourceOf(TOPICS, 8));
    const work = { abandoned: false };
    const dropped = tokenizer.encode({ text: 'a vote on it' }, 'end', work);
    work.abandoned = true;
    await assert.rejects(dropped, isVerdictError('cancelled', 'CANCELLED'));
    const { ids } = await tokenizer.encode({ text: 'a vote on it' }, 'end');
    assert.ok(ids.length > 2);
  });
});

describe('a closed tokenizer pool', () => {
  it('refuses what was waiting and what comes later', async (t) => {
    const { pool } = poolOf(t);
    const tokenizer = await pool.load(sourceOf(TOPICS, 64));
    const waiting = tokenizer.encode({ text: 'soup' }, 'end');
    const closing = pool.close();
    await assert.rejects(waiting, isVerdictError('unavailable', 'DRAINING'));
    await closing;
    await assert.rejects(
      tokenizer.encode({ text: 'soup' }, 'end'),
      isVerdictError('unavailable', 'DRAINING'),
    );
  });
});

it('the fixture has the parts that the short cut for plain ASCII asks for', () => {
  const json = topicsJson();
  assert.deepEqual(
    [json.normalizer?.type, json.pre_tokenizer?.type, json.model?.type],
    ['BertNormalizer', 'BertPreTokenizer', 'WordPiece'],
  );
});
