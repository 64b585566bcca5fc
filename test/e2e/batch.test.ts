import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fromServiceError } from '../../clients/typescript/src/client-error.js';
import { type BatchResult, VerdictClientError } from '../../clients/typescript/src/index.js';
import { BatchClassifyRequest } from '../../generated/verdict/v1/classifier_service.js';
import { batchRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { unaryOutcome } from '../support/unary-outcome.js';

describe('BatchClassify', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['topics', 'poison']);
  });

  after(() => service.stop());

  it('answers every input, in the order of the inputs', async () => {
    const results = await service.client.classifyBatch(['match', 'parliament', 'dinner today', 'match']);
    assert.deepEqual(results.map(short), ['sports', 'politics', 'food', 'sports']);
  });

  it('one set of options holds for all inputs', async () => {
    const results = await service.client.classifyBatch(['match', 'phone'], { topK: 0, activation: 'none' });
    for (const result of results) {
      assert.ok(result.ok);
      assert.equal(result.classification.predictions.length, 4);
      assert.ok((result.classification.score ?? 0) > 1, 'a raw logit');
    }
  });

  it('inputs that are wrong fail alone, each named by its position', async () => {
    const results = await service.client.classifyBatch([
      'match',
      '',
      'parliament',
      { text: 'dinner', textPair: ' ' },
      'x'.repeat(8193),
      'dinner today',
    ]);
    assert.deepEqual(results.map(short), [
      'sports',
      'INVALID_FIELD inputs[1].text',
      'politics',
      'INVALID_FIELD inputs[3].pair.text_pair',
      'INVALID_FIELD inputs[4].text',
      'food',
    ]);
  });

  it('an input that the model fails on fails alone, and its neighbours get their answers', async () => {
    const texts = ['the match', 'soup', 'poison', 'bread', 'data', 'poison again', 'the law'];
    const results = await service.client.classifyBatch(texts, { model: 'poison' });
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, false, true, true, false, true],
    );
    for (const result of results) {
      if (!result.ok)
        assert.deepEqual([result.error.code, result.error.reason], ['INTERNAL', 'INFERENCE_FAILED']);
    }
  });

  it('takes 1 to 32 inputs', async () => {
    const { classifier, client } = service;
    assert.equal((await client.classifyBatch(Array(32).fill('match'))).length, 32);
    for (const count of [0, 33]) {
      const request = batchRequest(Array(count).fill('match'));
      const { error } = await unaryOutcome(classifier.batchClassify.bind(classifier), request);
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(error && fromServiceError(error, undefined).violations, [
        { field: 'inputs', description: `must have 1 to 32 inputs, has ${count}` },
      ]);
    }
  });

  it('an input that holds nothing fails alone too', async () => {
    const { classifier } = service;
    const request = BatchClassifyRequest.fromPartial({
      inputs: [{}, { input: { $case: 'text', value: 'match' } }],
    });
    const { response } = await unaryOutcome(classifier.batchClassify.bind(classifier), request);
    assert.deepEqual(
      response?.results.map(({ outcome }) => outcome?.$case),
      ['error', 'classification'],
    );
  });

  it('what is wrong with the call fails the call: model, version, options', async () => {
    for (const [options, code, reason] of [
      [{ model: 'nobody' }, 'NOT_FOUND', 'MODEL_NOT_FOUND'],
      [{ version: '2' }, 'NOT_FOUND', 'VERSION_NOT_FOUND'],
      [{ model: 'No Name' }, 'INVALID_ARGUMENT', 'INVALID_FIELD'],
      [{ minScore: Number.NaN }, 'INVALID_ARGUMENT', 'INVALID_FIELD'],
    ] as const) {
      await assert.rejects(service.client.classifyBatch(['match', 'soup'], options), (error) => {
        assert.ok(error instanceof VerdictClientError);
        assert.deepEqual([error.code, error.reason], [code, reason]);
        return true;
      });
    }
  });

  it('the same text twice is computed once', async () => {
    const runs = await service.itemsRun('topics');
    const results = await service.client.classifyBatch(['a vote', 'a law', 'a vote', 'a vote']);
    assert.deepEqual(results.map(cacheOf), ['miss', 'miss', 'coalesced', 'coalesced']);
    assert.equal(await service.itemsRun('topics'), runs + 2);
  });

  it('of texts that are known and one that is new only the new one is computed', async () => {
    const known = Array.from({ length: 31 }, (_, number) => `match number ${number}`);
    await service.client.classifyBatch(known);
    const runs = await service.itemsRun('topics');
    const texts = [...known.slice(0, 15), 'a new one', ...known.slice(15)];
    const results = await service.client.classifyBatch(texts);
    assert.deepEqual(
      results.map(cacheOf),
      texts.map((text) => (text === 'a new one' ? 'miss' : 'lru')),
    );
    assert.equal(await service.itemsRun('topics'), runs + 1);
  });

  it('inputs of one call share batches of the model', async () => {
    const texts = Array.from({ length: 32 }, (_, number) => `a robot, ${number}`);
    const batches = await service.server.metric('verdict_batch_items_count', { model: 'topics' });
    const results = await service.client.classifyBatch(texts, { cache: 'bypass' });
    const ran = (await service.server.metric('verdict_batch_items_count', { model: 'topics' })) - batches;
    assert.ok(ran < texts.length, `${texts.length} inputs took ${ran} batches`);
    const sizes = results.map((result) => (result.ok ? result.classification.timings.batchSize : 0));
    assert.ok(Math.max(...sizes) > 1);
  });
});

function short(result: BatchResult): string | undefined {
  if (result.ok) return result.classification.label;
  return `${result.error.reason} ${result.error.violations.map(({ field }) => field).join(' ')}`;
}

function cacheOf(result: BatchResult): string {
  return result.ok ? result.classification.cache : result.error.reason;
}
