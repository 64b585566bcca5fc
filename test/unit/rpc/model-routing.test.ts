import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { Shares } from '../../../src/models/traffic.js';
import type { RoutingChanges } from '../../../src/models/types.js';
import { detailsOf } from './details.js';
import { Edge, modelView, timeout, unary } from './edge.js';

/** Keeps what was asked, and answers as a model that has it. */
function recording() {
  const asked: unknown[] = [];
  const view = {
    ...modelView('tone', '1'),
    traffic: [{ version: '1', percent: 100 }],
    aliases: [{ alias: 'champion', version: '1' }],
  };
  const routing: RoutingChanges = {
    setTraffic: async (model, shares: Shares) => {
      asked.push([model, Object.fromEntries(shares)]);
      return view;
    },
    setAlias: async (...[model, alias, version]) => {
      asked.push([model, alias, version]);
      return view;
    },
    deleteAlias: async (model, alias) => {
      asked.push([model, alias]);
      return view;
    },
  };
  return { asked, routing };
}

const fieldsOf = (error: Parameters<typeof detailsOf>[0] | null) =>
  error === null ? [] : detailsOf(error).fields;

describe('changes of where requests go', { timeout }, () => {
  it('are asked for, and answered with the model', async () => {
    const { asked, routing } = recording();
    await Edge.run({ routing }, async ({ models }) => {
      const none = new Metadata();
      const traffic = [
        { version: '1', percent: 90 },
        { version: '2', percent: 10 },
      ];
      const { response } = await unary(models.setTraffic.bind(models), { model: 'tone', traffic }, none);
      assert.deepEqual(response?.model?.traffic, [{ version: '1', percent: 100 }]);
      assert.deepEqual(response?.model?.aliases, [{ alias: 'champion', version: '1' }]);
      await unary(models.setTraffic.bind(models), { model: 'tone', traffic: [] }, none);
      await unary(models.setAlias.bind(models), { model: 'tone', alias: 'champion', version: '2' }, none);
      await unary(models.deleteAlias.bind(models), { model: 'tone', alias: 'champion' }, none);
    });
    assert.deepEqual(asked, [
      ['tone', { 1: 90, 2: 10 }],
      ['tone', {}],
      ['tone', 'champion', '2'],
      ['tone', 'champion'],
    ]);
  });

  it('name all bad fields at once, and nothing is asked', async () => {
    const { asked, routing } = recording();
    await Edge.run({ routing }, async ({ models }) => {
      const none = new Metadata();
      const shares = async (...given: (readonly [string, number])[]) => {
        const traffic = given.map(([version, percent]) => ({ version, percent }));
        const { error } = await unary(models.setTraffic.bind(models), { model: 'tone', traffic }, none);
        assert.equal(error?.code, status.INVALID_ARGUMENT);
        return fieldsOf(error);
      };
      assert.deepEqual(await shares(['1', 90]), ['traffic']);
      assert.deepEqual(await shares(['1', 90], ['2', 11]), ['traffic']);
      assert.deepEqual(await shares(['1', 0], ['champion', 101]), [
        'traffic[0].percent',
        'traffic[1].version',
        'traffic[1].percent',
      ]);
      assert.deepEqual(await shares(['1', 50], ['1', 50]), ['traffic[1].version']);
      assert.deepEqual(await shares(['0', 100]), ['traffic[0].version']);
      const alias = await unary(models.setAlias.bind(models), { model: '', alias: '7', version: 'v2' }, none);
      assert.deepEqual(fieldsOf(alias.error), ['model', 'alias', 'version']);
      const gone = await unary(models.deleteAlias.bind(models), { model: 'A', alias: '' }, none);
      assert.deepEqual(fieldsOf(gone.error), ['model', 'alias']);
    });
    assert.deepEqual(asked, []);
  });
});
