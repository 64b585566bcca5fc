import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ClassifyInput as Text, VerdictClientError } from '../../clients/typescript/src/index.js';
import { Service } from '../support/service.js';

const maxTextChars = 8192;

const good: Readonly<Record<string, string>> = {
  'one letter': 'a',
  'emoji, one of them a family joined of seven characters': '😀 dinner 👨‍👩‍👧‍👦 today 👍🏽',
  'Chinese and Japanese': '日本の料理は素晴らしい 我喜欢这部电影',
  'Arabic and Hebrew, from right to left': 'هذا رائع זה נהדר',
  'Thai, which has no spaces': 'ภาพยนตร์เรื่องนี้ยอดเยี่ยมมาก',
  'a NUL in the middle': 'before\u0000after',
  'nothing but a NUL': '\u0000',
  'control characters': '\u0001\u0002\u001b[31m red \u007f',
  'combining marks by the dozen': `e${'\u0301'.repeat(50)}`,
  '8191 combining marks of two classes by turns': `e${'\u0301\u0316'.repeat((maxTextChars - 2) / 2)}\u0301`,
  'a byte order mark before the text': '\ufeffa text',
  'U+FFFD itself': 'what is \ufffd this',
  'white space around a word': ' \t\r\n match \u00a0\u2003',
  'one word of 8192 letters': 'a'.repeat(maxTextChars),
  '8192 UTF-16 units that are 4096 emoji': '😀'.repeat(maxTextChars / 2),
  '8192 Chinese characters, 24576 bytes': '語'.repeat(maxTextChars),
  'special tokens of the model, as plain text': '[CLS] match [SEP] [PAD] [MASK]',
  'what a template engine or a shell would expand': '{{x}} $(x) %s `x` $x',
};

const bad: Readonly<Record<string, string>> = {
  nothing: '',
  'a space': ' ',
  'white space of every kind': ' \t\r\n\v\f\u00a0\u1680\u2003\u2028\u2029\u3000',
  'characters that are drawn as nothing': '\u200b\u200d\ufeff',
  'one UTF-16 unit too much': 'a'.repeat(maxTextChars + 1),
  'one UTF-16 unit too much, in 4097 characters': `${'😀'.repeat(maxTextChars / 2)}a`,
};

describe('texts', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics']);
  });

  after(() => service.stop());

  /** What each of the three ways says to the same input. */
  async function everyWay(input: Text): Promise<(VerdictClientError | number)[]> {
    const { client } = service;
    const options = { cache: 'bypass' } as const;
    const unary = await client.classify(input, options).then(
      ({ tokenCount }) => tokenCount,
      (error: VerdictClientError) => error,
    );
    const [batch] = await client.classifyBatch([input], options);
    const results: (VerdictClientError | number)[] = [unary];
    if (batch !== undefined) results.push(batch.ok ? batch.classification.tokenCount : batch.error);
    const item = typeof input === 'string' ? { text: input } : input;
    for await (const result of client.classifyStream([{ ...item, options }])) {
      results.push(result.ok ? result.classification.tokenCount : result.error);
    }
    return results;
  }

  for (const [what, text] of Object.entries(good)) {
    it(`are classified the same way by all three calls: ${what}`, async () => {
      const [unary, batch, stream, ...more] = await everyWay(text);
      assert.ok(typeof unary === 'number' && unary >= 2 && unary <= 64, String(unary));
      assert.deepEqual([batch, stream, more], [unary, unary, []]);
    });
  }

  for (const [what, text] of Object.entries(bad)) {
    it(`are refused in the same words by all three calls: ${what}`, async () => {
      const errors = await everyWay(text);
      assert.equal(errors.length, 3);
      for (const [way, error] of errors.entries()) {
        assert.ok(error instanceof VerdictClientError);
        assert.deepEqual([error.code, error.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
        const field = way === 1 ? 'inputs[0].text' : 'text';
        assert.deepEqual(
          error.violations.map((violation) => violation.field),
          [field],
        );
      }
    });
  }

  it('that are too long are told their length and the limit', async () => {
    await assert.rejects(service.client.classify('a'.repeat(maxTextChars + 1)), {
      message: 'text: must have at most 8192 UTF-16 units, has 8193',
    });
  });

  it('with lone surrogates reach the server with U+FFFD in their place', async () => {
    const { client } = service;
    const [clean] = (await client.classify('match \ufffd \ufffd today', { topK: 1 })).predictions;
    for (const text of ['match \ud83d \ude00 today', 'match \udc00 \ud800 today']) {
      const answer = await client.classify(text);
      assert.deepEqual([answer.cache, answer.predictions[0]], ['lru', clean]);
    }
  });

  it('are told apart to the last character, and only texts that are the same share an answer', async () => {
    const { client } = service;
    const texts = [
      'recipe\u0000',
      'recipe',
      'Recipe',
      'recipe ',
      'recipe\u00a0',
      'recip\u0065\u0301',
      'recip\u00e9',
    ];
    for (const text of texts) assert.equal((await client.classify(text)).cache, 'miss');
    for (const text of texts) assert.equal((await client.classify(text)).cache, 'lru');
  });
});
