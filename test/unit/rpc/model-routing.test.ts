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
    setShadow: async (...[model, version, percent]) => {
      asked.push([model, version, percent]);
      return view;
    },
    setRollback: async (...[model, limits]) => {
      asked.push([model, limits]);
      return view;
    },
    deleteRollback: async (...[model]) => {
      asked.push([model]);
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

  it('of candidates are asked for, with what is left out filled in', async () => {
    const { asked, routing } = recording();
    await Edge.run({ routing }, async ({ models }) => {
      const none = new Metadata();
      const shadow = { model: 'tone', version: '2', percent: 10 };
      await unary(models.setShadow.bind(models), shadow, none);
      await unary(models.setShadow.bind(models), { ...shadow, version: '', percent: 0 }, none);
      const rule = {
        ...{ model: 'tone', version: '2', stableVersion: '1', maxErrorPercent: 0.5 },
        ...{ maxFlipPercent: undefined, minObservations: 0, windowSeconds: 0 },
      };
      await unary(models.setRollback.bind(models), rule, none);
      await unary(models.deleteRollback.bind(models), { model: 'tone' }, none);
    });
    assert.deepEqual(asked, [
      ['tone', '2', 10],
      ['tone', '', 0],
      [
        'tone',
        {
          ...{ version: '2', stable: '1', maxErrorPercent: 0.5, maxFlipPercent: undefined },
          ...{ minObservations: 50, windowSeconds: 300 },
        },
      ],
      ['tone'],
    ]);
  });

  it('of candidates name all bad fields at once', async () => {
    const { asked, routing } = recording();
    await Edge.run({ routing }, async ({ models }) => {
      const none = new Metadata();
      const shadow = async (given: { version: string; percent: number }, model = 'tone') =>
        fieldsOf((await unary(models.setShadow.bind(models), { model, ...given }, none)).error);
      assert.deepEqual(await shadow({ version: '', percent: 101 }, ''), ['model', 'version', 'percent']);
      assert.deepEqual(await shadow({ version: 'champion', percent: 0 }), ['version']);
      const rule = async (given: {
        readonly stableVersion?: string;
        readonly maxErrorPercent?: number;
        readonly maxFlipPercent?: number;
        readonly minObservations?: number;
        readonly windowSeconds?: number;
      }) => {
        const whole = {
          ...{ model: 'tone', version: '2', stableVersion: '1', minObservations: 0, windowSeconds: 0 },
          ...{ maxErrorPercent: undefined, maxFlipPercent: undefined, ...given },
        };
        return fieldsOf((await unary(models.setRollback.bind(models), whole, none)).error);
      };
      assert.deepEqual(await rule({}), ['max_error_percent']);
      assert.deepEqual(await rule({ stableVersion: '2', maxErrorPercent: 1 }), ['stable_version']);
      assert.deepEqual(await rule({ maxErrorPercent: -0.1, maxFlipPercent: 100 }), [
        'max_error_percent',
        'max_flip_percent',
      ]);
      assert.deepEqual(await rule({ maxErrorPercent: Number.NaN }), ['max_error_percent']);
      assert.deepEqual(await rule({ maxErrorPercent: 1, minObservations: 9, windowSeconds: 86_401 }), [
        'min_observations',
        'window_seconds',
      ]);
    });
    assert.deepEqual(asked, []);
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
