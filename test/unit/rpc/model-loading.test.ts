import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { VerdictError } from '../../../src/errors.js';
import type { ModelLoads } from '../../../src/models/types.js';
import { detailsOf } from './details.js';
import { Edge, modelView, timeout, unary } from './edge.js';

describe('loading and unloading models by hand', { timeout }, () => {
  it('is asked for by name, and answered with the model', async () => {
    const asked: string[] = [];
    const loads: ModelLoads = {
      load: async (model) => {
        asked.push(`load ${model}`);
        return modelView(model, '1');
      },
      unload: async (model) => {
        asked.push(`unload ${model}`);
        return modelView(model, '');
      },
    };
    await Edge.run({ loads }, async ({ models }) => {
      const none = new Metadata();
      const loaded = await unary(models.loadModel.bind(models), { model: 'tone' }, none);
      const unloaded = await unary(models.unloadModel.bind(models), { model: 'tone' }, none);
      assert.deepEqual(
        [loaded.response?.model?.servingVersion, unloaded.response?.model?.servingVersion],
        ['1', ''],
      );
      for (const model of ['', 'A', '../x', 'a'.repeat(65)])
        for (const call of [models.loadModel.bind(models), models.unloadModel.bind(models)]) {
          const { error } = await unary(call, { model }, none);
          assert.equal(error?.code, status.INVALID_ARGUMENT);
          assert.deepEqual(detailsOf(error).fields, ['model']);
        }
    });
    assert.deepEqual(asked, ['load tone', 'unload tone']);
  });

  it('says when to try again where nothing makes room', async () => {
    const loads: ModelLoads = {
      load: async () => {
        throw new VerdictError('resource_exhausted', 'no room', {
          reason: 'MODEL_PLACES_TAKEN',
          retryAfterMs: 30_000,
        });
      },
      unload: async (model) => modelView(model, ''),
    };
    await Edge.run({ loads }, async ({ models }) => {
      const { error } = await unary(models.loadModel.bind(models), { model: 'tone' }, new Metadata());
      assert.ok(error);
      assert.deepEqual(
        [error.code, detailsOf(error).reason],
        [status.RESOURCE_EXHAUSTED, 'MODEL_PLACES_TAKEN'],
      );
    });
  });
});
