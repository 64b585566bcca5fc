import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { Activation, Truncation } from '../../../generated/verdict/v1/classification.js';
import {
  Batching,
  ModelState,
  ProblemType,
  ReloadOutcome,
} from '../../../generated/verdict/v1/model_service.js';
import type { ModelReload, ModelReloads, ModelVersionView } from '../../../src/models/types.js';
import { detailsOf } from './details.js';
import { Edge, modelView, TestCatalog, timeout, unary } from './edge.js';

const version: ModelVersionView = {
  version: '3',
  state: 'serving',
  stateReason: '',
  labels: ['NEGATIVE', 'POSITIVE'],
  problemType: 'single_label_classification',
  maxTokens: 512,
  batchBudgetTokens: 1024,
  precision: 'int8',
  device: 'cpu',
  batching: 'equal_length',
  appliedActivation: 'softmax',
  digest: `sha256:${'0'.repeat(64)}`,
  defaultTruncation: 'end',
  readyInstances: 1,
  instances: 2,
  cost: { baseMs: 1.5, msPerToken: 0.25, msPerTokenSquared: 0.125 },
  costSamples: [{ items: 4, tokens: 16, runMs: 9.5 }],
  memoryBytes: 123_456_789,
};
const failed: ModelVersionView = {
  ...version,
  version: '2',
  state: 'failed',
  stateReason: 'golden check',
  costSamples: [],
};
const catalog = new TestCatalog([
  modelView('intent', ''),
  { ...modelView('sentiment', '3'), versions: [version, failed] },
]);

test('models are listed as the catalog has them', { timeout }, async () => {
  await Edge.run({ catalog }, async (edge) => {
    const client = edge.models;
    const { response } = await unary(client.listModels.bind(client), {}, new Metadata());
    assert.deepEqual(
      response?.models.map(({ name, isDefault, servingVersion }) => [name, isDefault, servingVersion]),
      [
        ['intent', false, ''],
        ['sentiment', true, '3'],
      ],
    );
  });
});

test('a model is described with its limits, its state and what it costs', { timeout }, async () => {
  await Edge.run({ catalog }, async (edge) => {
    const client = edge.models;
    const { response } = await unary(client.getModel.bind(client), { model: 'sentiment' }, new Metadata());
    const [serving, other] = response?.model?.versions ?? [];
    const {
      maxTokens,
      batchBudgetTokens,
      costSamples,

      precision = '',
      device = '',
      ...same
    } = version;
    assert.deepEqual(serving, {
      ...same,
      precision,
      device,
      batching: Batching.EQUAL_LENGTH,
      appliedActivation: Activation.SOFTMAX,
      state: ModelState.SERVING,
      problemType: ProblemType.SINGLE_LABEL,
      defaultTruncation: Truncation.END,
      memoryBytes: 123_456_789n,
      limits: { maxTokens, maxTextChars: 100, maxBatchInputs: 4, batchBudgetTokens },
      cost: {
        ...version.cost,
        samples: costSamples.map(({ items, tokens, runMs }) => ({ inputs: items, tokens, runMs })),
      },
    });
    assert.equal(other?.state, ModelState.FAILED);
    assert.equal(other?.stateReason, 'golden check');
  });
});

test('a model that is not there is NOT_FOUND, a name that is none INVALID_ARGUMENT', {
  timeout,
}, async () => {
  await Edge.run({ catalog }, async (edge) => {
    const client = edge.models;
    const get = (model: string) => unary(client.getModel.bind(client), { model }, new Metadata());
    const missing = await get('nope');
    assert.equal(missing.error?.code, status.NOT_FOUND);
    assert.deepEqual(detailsOf(missing.error).resource, { type: 'model', name: 'nope' });
    for (const name of ['', 'A', '../x', 'a'.repeat(65)]) {
      const { error } = await get(name);
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).fields, ['model']);
    }
  });
});

test('a reload says for each model what became of it', { timeout }, async () => {
  const asked: (readonly string[])[] = [];
  const reloads: ModelReloads = {
    reload: async (models = []) => {
      asked.push(models);
      return [
        ...[{ model: 'intent', outcome: 'failed', version: '1', reason: 'golden check', retired: [] }],
        ...[
          {
            model: 'sentiment',
            outcome: 'loaded',
            version: '4',
            reason: '',
            flips: { compared: 60, flipped: 2 },
            retired: ['3', '1'],
          },
        ],
        { model: 'topics', outcome: 'retired', version: '4', reason: '', retired: ['5'] },
      ] as ModelReload[];
    },
  };
  await Edge.run({ catalog, reloads }, async (edge) => {
    const client = edge.models;
    const { response } = await unary(
      client.reloadModels.bind(client),
      { models: ['sentiment'] },
      new Metadata(),
    );
    assert.deepEqual(asked, [['sentiment']]);
    assert.deepEqual(response?.reloads, [
      {
        ...{ model: 'intent', outcome: ReloadOutcome.FAILED, version: '1', reason: 'golden check' },
        ...{ labelFlips: undefined, retiredVersions: [], warmUp: undefined },
      },
      {
        ...{ model: 'sentiment', outcome: ReloadOutcome.LOADED, version: '4', reason: '' },
        ...{ labelFlips: { compared: 60, flipped: 2 }, retiredVersions: ['3', '1'], warmUp: undefined },
      },
      {
        ...{ model: 'topics', outcome: ReloadOutcome.RETIRED, version: '4', reason: '' },
        ...{ labelFlips: undefined, retiredVersions: ['5'], warmUp: undefined },
      },
    ]);
    for (const models of [[''], ['Not A Name'], Array.from({ length: 65 }, () => 'a')]) {
      const { error } = await unary(client.reloadModels.bind(client), { models }, new Metadata());
      assert.equal(error?.code, status.INVALID_ARGUMENT);
    }
    assert.equal(asked.length, 1);
  });
});
