import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Classification,
  type ClassifyCallOptions,
  type ClassifyInput,
  VerdictClientError,
} from '../../clients/typescript/src/index.js';
import { Service } from '../support/service.js';

/** What the fixtures read: 62 words of one token each, [CLS] and [SEP]. */
const maxTokens = 64;

const words = (word: string, count: number): string => Array(count).fill(word).join(' ');

/** 80 words, of which the first and the last 62 tell different stories. */
const long = `${words('match', 40)} ${words('soup', 40)}`;

describe('texts of more tokens than the model reads', () => {
  let service: Service;
  const classify = (input: ClassifyInput, options: ClassifyCallOptions = {}): Promise<Classification> =>
    service.client.classify(input, { topK: 0, activation: 'none', ...options });

  before(async () => {
    service = await Service.start(['topics', 'pairs'], { VERDICT_PRECISION: 'fp32' });
  });

  after(() => service.stop());

  /** Asserts that both answers come from the same tokens: logits differ by no more than float arithmetic does. */
  async function assertReads(answer: Classification, text: ClassifyInput, model = ''): Promise<void> {
    const expected = await classify(text, { model });
    assert.equal(answer.tokenCount, expected.tokenCount);
    const byIndex = new Map(expected.predictions.map(({ index, score }) => [index, score]));
    for (const { index, score } of answer.predictions) {
      assert.ok(Math.abs(score - (byIndex.get(index) ?? Number.NaN)) < 1e-4);
    }
  }

  it('lose their end, special tokens kept, under END and by default', async () => {
    for (const truncation of ['end', undefined] as const) {
      const answer = await classify(long, { truncation });
      assert.deepEqual([answer.truncated, answer.tokenCount], [true, maxTokens]);
      await assertReads(answer, `${words('match', 40)} ${words('soup', 22)}`);
    }
  });

  it('lose their start under START', async () => {
    const answer = await classify(long, { truncation: 'start' });
    assert.deepEqual([answer.truncated, answer.tokenCount], [true, maxTokens]);
    await assertReads(answer, `${words('match', 22)} ${words('soup', 40)}`);
  });

  it('are refused under REJECT in words that name their length and the limit', async () => {
    await assert.rejects(classify(long, { truncation: 'reject' }), (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.equal(error.code, 'INVALID_ARGUMENT');
      assert.match(error.message, /\b82\b/);
      assert.match(error.message, /\b64\b/);
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        ['text'],
      );
      return true;
    });
  });

  it('are told from those that just fit, whatever the mode', async () => {
    for (const truncation of ['end', 'start', 'reject'] as const) {
      const fits = await classify(words('match', 62), { truncation });
      assert.deepEqual([fits.truncated, fits.tokenCount], [false, maxTokens]);
    }
    assert.equal((await classify(words('match', 63))).truncated, true);
    await assert.rejects(classify(words('match', 63), { truncation: 'reject' }));
  });

  it('have an answer of their own in the cache for each mode', async () => {
    const text = `${words('election', 40)} ${words('robot', 40)}`;
    const end = await classify(text, { truncation: 'end' });
    const start = await classify(text, { truncation: 'start' });
    assert.deepEqual([end.cache, start.cache], ['miss', 'miss']);
    assert.notDeepEqual(end.predictions, start.predictions);
    assert.equal((await classify(text, { truncation: 'end' })).cache, 'lru');
    assert.equal((await classify(text)).cache, 'lru');
  });

  it('of a pair, the longer one loses until both are of a length', async () => {
    const model = 'pairs';
    // 64 tokens less [CLS] and two [SEP]: 61 for both texts together.
    const onlyFirst = { text: words('match', 80), textPair: words('soup', 10) };
    const cut = await classify(onlyFirst, { model });
    assert.deepEqual([cut.truncated, cut.tokenCount], [true, maxTokens]);
    await assertReads(cut, { text: words('match', 51), textPair: words('soup', 10) }, model);

    const both = { text: words('match', 80), textPair: words('soup', 50) };
    await assertReads(
      await classify(both, { model }),
      { text: words('match', 31), textPair: words('soup', 30) },
      model,
    );

    const twoParts = {
      text: `${words('match', 40)} ${words('goal', 40)}`,
      textPair: `${words('soup', 25)} ${words('cheese', 25)}`,
    };
    await assertReads(
      await classify(twoParts, { model, truncation: 'start' }),
      { text: words('goal', 31), textPair: `${words('soup', 5)} ${words('cheese', 25)}` },
      model,
    );
  });

  it('of a pair are refused together under REJECT', async () => {
    const pair = { text: words('match', 40), textPair: words('soup', 40) };
    await assert.rejects(classify(pair, { model: 'pairs', truncation: 'reject' }), (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.match(error.message, /\b83\b.*\b64\b|\b64\b.*\b83\b/);
      return error.code === 'INVALID_ARGUMENT';
    });
  });
});
