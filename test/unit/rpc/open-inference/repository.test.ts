import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import {
  RepositoryModelLoadRequest,
  RepositoryModelUnloadRequest,
} from '../../../../generated/inference/grpc_service.js';
import type { ModelReload, ModelView } from '../../../../src/models/types.js';
import { detailsOf } from '../details.js';
import { Edge, type EdgeParts, modelView, TestCatalog, timeout, unary } from '../edge.js';
import { versionView } from './version-view.js';

const cold: ModelView = {
  ...modelView('cold', ''),
  ...{ loaded: false, versions: [versionView('1', { state: 'unloaded', digest: '' })] },
};
const unchanged = { outcome: 'unchanged', version: '1', reason: '', flips: undefined, retired: [] } as const;

/** Keeps what it was asked for. */
class Recorder {
  readonly asked: string[] = [];

  parts(reload: Partial<ModelReload> = {}): EdgeParts {
    const catalog = new TestCatalog([cold, modelView('sentiment', '1')]);
    const act = async (what: string, model: string) => {
      this.asked.push(`${what} ${model}`);
      return catalog.get(model);
    };
    return {
      catalog,
      loads: { load: (model) => act('load', model), unload: (model) => act('unload', model) },
      reloads: {
        reload: async (models = []) => {
          this.asked.push(`reload ${models}`);
          return models.map((model) => ({ model, ...unchanged, ...reload }));
        },
      },
    };
  }
}

type Fields = Parameters<typeof RepositoryModelLoadRequest.fromPartial>[0];

const load = ({ inference }: Edge, fields: Fields) =>
  unary(
    inference.repositoryModelLoad.bind(inference),
    RepositoryModelLoadRequest.fromPartial(fields),
    new Metadata(),
  );
const unload = ({ inference }: Edge, fields: Fields) =>
  unary(
    inference.repositoryModelUnload.bind(inference),
    RepositoryModelUnloadRequest.fromPartial(fields),
    new Metadata(),
  );

describe('loading and unloading by the Open Inference Protocol', { timeout }, () => {
  it('loads what is not loaded, looks at the folder of anything else, and unloads', async () => {
    const recorder = new Recorder();
    await Edge.run(recorder.parts(), async (edge) => {
      const unloadDependents = { parameterChoice: { $case: 'boolParam', value: false } } as const;
      const outcomes = [
        await load(edge, { modelName: 'cold' }),
        await load(edge, { modelName: 'sentiment' }),
        await load(edge, { modelName: 'new-on-disk' }),
        await unload(edge, { modelName: 'sentiment', parameters: { unload_dependents: unloadDependents } }),
      ];
      assert.deepEqual(
        outcomes.map(({ error }) => error),
        [null, null, null, null],
      );
      assert.deepEqual(recorder.asked, [
        'load cold',
        'reload sentiment',
        'reload new-on-disk',
        'unload sentiment',
      ]);
    });
  });

  it('says why a model could not be loaded', async () => {
    const failed = { outcome: 'failed', reason: 'sentiment/2: a file is missing' } as const;
    await Edge.run(new Recorder().parts(failed), async (edge) => {
      const { error } = await load(edge, { modelName: 'sentiment' });
      assert.equal(error?.code, status.UNAVAILABLE);
      assert.equal(detailsOf(error).reason, 'MODEL_NOT_LOADED');
      assert.match(error?.details ?? '', /a file is missing$/);
    });
  });

  it('names every field that is wrong, and does nothing', async () => {
    const recorder = new Recorder();
    const parameters = { config: { parameterChoice: { $case: 'stringParam', value: '{}' } } } as const;
    const dependents = {
      unload_dependents: { parameterChoice: { $case: 'int64Param', value: 1n } },
    } as const;
    await Edge.run(recorder.parts(), async (edge) => {
      const fieldsOf = async (call: typeof load, fields: Fields) =>
        detailsOf((await call(edge, fields)).error).fields;
      for (const call of [load, unload]) {
        assert.deepEqual(await fieldsOf(call, { repositoryName: 'other', parameters }), [
          'parameters.config',
          'repository_name',
          'model_name',
        ]);
        assert.deepEqual(await fieldsOf(call, { modelName: 'No Name' }), ['model_name']);
      }
      assert.deepEqual(await fieldsOf(load, { modelName: 'cold', parameters: dependents }), [
        'parameters.unload_dependents',
      ]);
      assert.deepEqual(await fieldsOf(unload, { modelName: 'cold', parameters: dependents }), [
        'parameters.unload_dependents',
      ]);
    });
    assert.deepEqual(recorder.asked, []);
  });
});
