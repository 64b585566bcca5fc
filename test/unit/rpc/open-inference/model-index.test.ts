import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { DataType } from '../../../../generated/inference/grpc_service.js';
import type { ModelView } from '../../../../src/models/types.js';
import { detailsOf } from '../details.js';
import { Edge, modelView, TestCatalog, timeout, unary } from '../edge.js';
import { versionView } from './version-view.js';

const failed = versionView('3', {
  state: 'failed',
  stateReason: 'a file is missing',
  labels: [],
  digest: '',
});

const sentiment: ModelView = {
  ...modelView('sentiment', '2'),
  versions: [failed, versionView('2'), versionView('1', { state: 'draining', labels: ['a', 'b'] })],
  aliases: [{ alias: 'old', version: '1' }],
};
const gone: ModelView = { ...modelView('gone', ''), loaded: false, versions: [] };

function withModels(body: (edge: Edge) => Promise<void>): Promise<void> {
  return Edge.run({ catalog: new TestCatalog([gone, sentiment]) }, body);
}

describe('what the Open Inference Protocol tells of models', { timeout }, () => {
  const metadata = ({ inference }: Edge, name: string, asked = '') =>
    unary(inference.modelMetadata.bind(inference), { name, version: asked }, new Metadata());
  const isReady = async ({ inference }: Edge, name: string, asked = '') =>
    (await unary(inference.modelReady.bind(inference), { name, version: asked }, new Metadata())).response
      ?.ready;

  it('tensors, and the versions that are loaded', async () => {
    await withModels(async (edge) => {
      const { response } = await metadata(edge, '');
      assert.deepEqual([response?.name, response?.versions], ['sentiment', ['2', '1']]);
      assert.deepEqual(response?.inputs, [{ name: 'text', datatype: 'BYTES', shape: [-1n] }]);
      assert.deepEqual(
        response?.outputs.map(({ name, datatype, shape }) => `${name} ${datatype} ${shape.join(',')}`),
        ['label BYTES -1,-1', 'score FP32 -1,-1', 'index INT32 -1,-1', 'logits FP32 -1,3'],
      );
    });
  });

  it('the labels of the version that is asked for, by its number or alias', async () => {
    await withModels(async (edge) => {
      for (const asked of ['1', 'old']) {
        const { response } = await metadata(edge, 'sentiment', asked);
        assert.deepEqual(response?.versions, ['1']);
        assert.deepEqual(response?.outputs.at(-1)?.shape, [-1n, 2n]);
      }
    });
  });

  it("the same in the form of Triton's configurations", async () => {
    await withModels(async (edge) => {
      const config = (name: string, asked: string) =>
        unary(edge.inference.modelConfig.bind(edge.inference), { name, version: asked }, new Metadata());
      const { response } = await config('sentiment', 'old');
      assert.deepEqual(response?.config, {
        ...{ name: 'sentiment', platform: 'onnxruntime_onnx', maxBatchSize: 0 },
        input: [{ name: 'text', dataType: DataType.TYPE_STRING, dims: [-1n] }],
        output: [
          { name: 'label', dataType: DataType.TYPE_STRING, dims: [-1n, -1n] },
          { name: 'score', dataType: DataType.TYPE_FP32, dims: [-1n, -1n] },
          { name: 'index', dataType: DataType.TYPE_INT32, dims: [-1n, -1n] },
          { name: 'logits', dataType: DataType.TYPE_FP32, dims: [-1n, 2n] },
        ],
      });
      assert.equal(detailsOf((await config('sentiment', '3')).error).reason, 'VERSION_NOT_FOUND');
      assert.deepEqual(detailsOf((await config('Not A Name', '01')).error).fields, ['name', 'version']);
    });
  });

  it('nothing of what is not there', async () => {
    await withModels(async (edge) => {
      assert.equal(detailsOf((await metadata(edge, 'nope')).error).reason, 'MODEL_NOT_FOUND');
      for (const asked of ['3', '9', 'latest'])
        assert.equal(detailsOf((await metadata(edge, 'sentiment', asked)).error).reason, 'VERSION_NOT_FOUND');
      const { error } = await metadata(edge, 'Not A Name', '01');
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).fields, ['name', 'version']);
    });
  });

  it('whether a model or a version serves', async () => {
    await withModels(async (edge) => {
      assert.equal(await isReady(edge, ''), true);
      assert.equal(await isReady(edge, 'sentiment', '2'), true);
      for (const [name, asked] of [
        ['sentiment', '1'],
        ['sentiment', '3'],
        ['gone', ''],
        ['nope', ''],
      ] as const)
        assert.equal(await isReady(edge, name, asked), false, `${name}/${asked}`);
    });
  });

  it('all versions and their states, or those alone that are ready', async () => {
    await withModels(async ({ inference }) => {
      const index = async (repositoryName: string, ready: boolean) =>
        unary(inference.repositoryIndex.bind(inference), { repositoryName, ready }, new Metadata());
      const { response } = await index('', false);
      assert.deepEqual(
        response?.models.map((model) => Object.values(model).join(' ')),
        [
          'gone  UNAVAILABLE ',
          'sentiment 3 UNAVAILABLE a file is missing',
          'sentiment 2 READY ',
          'sentiment 1 UNLOADING ',
        ],
      );
      assert.deepEqual(
        (await index('', true)).response?.models.map((model) => model.version),
        ['2'],
      );
      assert.deepEqual(detailsOf((await index('elsewhere', false)).error).fields, ['repository_name']);
    });
  });
});

it('the server is live, and ready while its models serve', { timeout }, async () => {
  const catalog = new TestCatalog([sentiment]);
  await Edge.run({ catalog }, async ({ inference }) => {
    const isReady = async () =>
      (await unary(inference.serverReady.bind(inference), {}, new Metadata())).response?.ready;
    assert.deepEqual((await unary(inference.serverLive.bind(inference), {}, new Metadata())).response, {
      live: true,
    });
    assert.equal(await isReady(), true);
    catalog.change({ ...sentiment, servingVersion: '' });
    assert.equal(await isReady(), false);
    assert.deepEqual((await unary(inference.serverMetadata.bind(inference), {}, new Metadata())).response, {
      ...{
        name: 'verdict',
        version: '1.2.3',
        extensions: ['binary_tensor_data', 'model_repository', 'schedule_policy', 'parameters'],
      },
    });
  });
});
