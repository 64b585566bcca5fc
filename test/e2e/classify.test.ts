import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VerdictClientError } from '../../clients/typescript/src/index.js';
import { Service } from '../support/service.js';
import { until } from '../support/until.js';

describe('Classify', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['sentiment', 'topics', 'poison']);
  });

  after(() => service.stop());

  it('answers with the default model, and says everything about the answer', async () => {
    const answer = await service.client.classify('This movie was absolutely fantastic!');
    assert.equal(answer.model, 'sentiment');
    assert.equal(answer.version, '1');
    assert.equal(answer.predictions.length, 1);
    assert.deepEqual([answer.label, answer.predictions[0]?.index], ['POSITIVE', 1]);
    assert.ok((answer.score ?? 0) > 0.9);
    assert.ok(answer.tokenCount > 5);
    assert.equal(answer.truncated, false);
    assert.equal(answer.cache, 'miss');
    const { tokenizeMs, queueMs, inferenceMs, totalMs, batchSize } = answer.timings;
    assert.equal(batchSize, 1);
    for (const ms of [tokenizeMs, inferenceMs, totalMs]) assert.ok(ms > 0);
    assert.ok(queueMs >= 0);
    assert.ok(totalMs >= inferenceMs);
  });

  it('answers with the model and the version that are named', async () => {
    for (const version of [undefined, '1']) {
      const answer = await service.client.classify('the team won', { model: 'topics', version });
      assert.deepEqual([answer.label, answer.model, answer.version], ['sports', 'topics', '1']);
    }
  });

  it('tells a hit from memory by its timings: no stage of the computation took part', async () => {
    const text = 'What a waste of time.';
    await service.client.classify(text);
    const { cache, timings } = await service.client.classify(text);
    assert.equal(cache, 'lru');
    const { totalMs, ...stages } = timings;
    assert.ok(totalMs > 0);
    assert.deepEqual(stages, { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, batchSize: 0 });
  });

  it('has no model of an unknown name, and says which name', async () => {
    await assert.rejects(service.client.classify('a text', { model: 'nobody' }), (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.deepEqual([error.code, error.reason], ['NOT_FOUND', 'MODEL_NOT_FOUND']);
      assert.deepEqual(error.resource, { type: 'model', name: 'nobody' });
      return true;
    });
  });

  it('has no version of an unknown number, and says which number', async () => {
    await assert.rejects(service.client.classify('a text', { model: 'topics', version: '7' }), (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.deepEqual([error.code, error.reason], ['NOT_FOUND', 'VERSION_NOT_FOUND']);
      assert.deepEqual(error.resource, { type: 'version', name: 'topics/7' });
      return true;
    });
  });

  it('names every field that is wrong, and says what is allowed there', async () => {
    const wrong = { model: 'Not A Name', version: '01', minScore: Number.NaN };
    await assert.rejects(service.client.classify(' ', wrong), (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.deepEqual([error.code, error.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        ['model', 'version', 'text', 'options.min_score'],
      );
      for (const { description } of error.violations) assert.match(description, /^must /);
      assert.match(error.message, /^model: must match .* \(and 3 more\)$/);
      return true;
    });
  });

  it('keeps to itself why a model fails on an input, and gives the id to ask the operators about', async () => {
    const call = service.client.classify('a poison text', { model: 'poison', requestId: 'poisoned-1' });
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.deepEqual([error.code, error.reason], ['INTERNAL', 'INFERENCE_FAILED']);
      assert.equal(error.message, 'the model failed on this input');
      assert.equal(error.requestId, 'poisoned-1');
      return true;
    });
    await until('the log tells the cause', () =>
      service.server.log.some(
        (line) =>
          line.request_id === 'poisoned-1' &&
          line.level === 'error' &&
          JSON.stringify(line.error).includes('indices'),
      ),
    );
    assert.equal((await service.client.classify('a sound text', { model: 'poison' })).cache, 'miss');
  });
});
