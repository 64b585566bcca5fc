import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fromServiceError } from '../../clients/typescript/src/client-error.js';
import type { TextInput } from '../../clients/typescript/src/index.js';
import { ClassifyRequest } from '../../generated/verdict/v1/classifier_service.js';
import { Service } from '../support/service.js';
import { unaryOutcome } from '../support/unary-outcome.js';

const pair = { text: 'The team won the match.', textPair: 'The team won.' };

describe('pairs of texts', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['pairs', 'topics'], { VERDICT_PRECISION: 'fp32' });
  });

  after(() => service.stop());

  async function logitsOf(input: TextInput): Promise<number[]> {
    const { predictions } = await service.client.classify(input, { topK: 0, activation: 'none' });
    return [...predictions].sort((a, b) => a.index - b.index).map(({ score }) => score);
  }

  it('are answered as PyTorch recorded, each order in its own way', async () => {
    const recorded = [
      [1.110834, -0.240235, 1.24085],
      [1.598391, -0.497547, 0.858791],
    ];
    const swapped = { text: pair.textPair, textPair: pair.text };
    for (const [number, input] of [pair, swapped].entries()) {
      const logits = await logitsOf(input);
      for (const [index, logit] of logits.entries()) {
        assert.ok(Math.abs(logit - (recorded[number]?.[index] ?? Number.NaN)) < 1e-3);
      }
    }
  });

  it('are not the same as both texts in one', async () => {
    const together = await logitsOf({ text: `${pair.text} ${pair.textPair}` });
    assert.notDeepEqual(await logitsOf(pair), together);
  });

  it('count the tokens of both texts and three special ones', async () => {
    const answer = await service.client.classify({ text: 'match', textPair: 'the soup' });
    assert.equal(answer.tokenCount, 6);
  });

  it('never share a cached answer with another way to divide the same letters', async () => {
    const inputs = [
      { text: 'code data', textPair: 'robot' },
      { text: 'code', textPair: 'data robot' },
      { text: 'code data robot' },
      { text: 'robot', textPair: 'code data' },
    ];
    for (const input of inputs) assert.equal((await service.client.classify(input)).cache, 'miss');
    for (const input of inputs) assert.equal((await service.client.classify(input)).cache, 'lru');
  });

  it('are taken by a model without token types', async () => {
    const answer = await service.client.classify(pair, { model: 'topics' });
    assert.deepEqual([answer.label, answer.tokenCount], ['sports', 13]);
  });

  it('need both texts; each is named where it is wrong', async () => {
    const { classifier } = service;
    for (const [text, textPair, fields] of [
      ['', 'b', ['pair.text']],
      ['a', '\t', ['pair.text_pair']],
      ['a'.repeat(8193), '', ['pair.text', 'pair.text_pair']],
    ] as const) {
      const request = ClassifyRequest.fromPartial({ input: { $case: 'pair', value: { text, textPair } } });
      const { error } = await unaryOutcome(classifier.classify.bind(classifier), request);
      assert.ok(error);
      assert.deepEqual(
        fromServiceError(error, undefined).violations.map(({ field }) => field),
        fields,
      );
    }
  });

  it('come through batches and streams as well', async () => {
    const [single] = (await service.client.classify(pair)).predictions;
    const batch = await service.client.classifyBatch([pair, 'a lone text', pair]);
    assert.deepEqual(
      batch.map(({ ok }) => ok),
      [true, true, true],
    );
    for (const result of [batch[0], batch[2]]) {
      assert.ok(result?.ok);
      assert.deepEqual(result.classification.predictions, [single]);
    }
    for await (const result of service.client.classifyStream([pair])) {
      assert.ok(result.ok);
      assert.deepEqual(result.classification.predictions, [single]);
    }
  });
});
