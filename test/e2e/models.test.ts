import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VerdictClientError } from '../../clients/typescript/src/index.js';
import { Service } from '../support/service.js';

describe('ModelService', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['sentiment', 'topics', 'pairs']);
  });

  after(() => service.stop());

  it('lists the models by name, the default one marked', async () => {
    const models = await service.client.listModels();
    assert.deepEqual(
      models.map(({ name, isDefault, servingVersion }) => [name, isDefault, servingVersion]),
      [
        ['pairs', false, '1'],
        ['sentiment', true, '1'],
        ['topics', false, '1'],
      ],
    );
    for (const { versions } of models)
      assert.deepEqual(
        versions.map(({ state }) => state),
        ['serving'],
      );
  });

  it('describes a model: what it answers, what it takes, where it runs', async () => {
    const { versions } = await service.client.getModel('topics');
    const [version] = versions;
    assert.ok(version);
    assert.deepEqual(version.labels, ['sports', 'politics', 'technology', 'food']);
    assert.equal(version.problemType, 'multi_label_classification');
    assert.deepEqual([version.precision, version.device], ['int8', 'cpu']);
    assert.equal(version.defaultTruncation, 'end');
    const { batchBudgetTokens, ...limits } = version.limits;
    assert.deepEqual(limits, { maxTokens: 64, maxTextChars: 8192, maxBatchInputs: 32 });
    assert.ok(batchBudgetTokens > 0);
    assert.deepEqual([version.readyInstances, version.instances], [1, 1]);
    assert.match(version.digest, /^sha256:[0-9a-f]{64}$/);
  });

  it('tells what a batch costs, as measured when the model was loaded', async () => {
    const [version] = (await service.client.getModel('sentiment')).versions;
    assert.ok(version?.cost);
    const { baseMs, msPerToken, msPerTokenSquared, samples } = version.cost;
    for (const part of [baseMs, msPerToken, msPerTokenSquared]) assert.ok(part >= 0);
    assert.ok(baseMs + msPerToken > 0);
    assert.ok(samples.length >= 3);
    for (const { inputs, tokens, runMs } of samples) assert.ok(inputs > 0 && tokens > 0 && runMs > 0);
  });

  it('has none of an unknown name', async () => {
    await assert.rejects(service.client.getModel('nobody'), (error) => {
      assert.ok(error instanceof VerdictClientError);
      assert.deepEqual([error.code, error.reason], ['NOT_FOUND', 'MODEL_NOT_FOUND']);
      assert.deepEqual(error.resource, { type: 'model', name: 'nobody' });
      return true;
    });
    for (const name of ['', 'Not A Name']) {
      await assert.rejects(service.client.getModel(name), {
        code: 'INVALID_ARGUMENT',
        reason: 'INVALID_FIELD',
      });
    }
  });
});
