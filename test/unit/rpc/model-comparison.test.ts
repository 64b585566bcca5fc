import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { VersionComparison } from '../../../src/comparison/types.js';
import { VerdictError } from '../../../src/errors.js';
import { detailsOf } from './details.js';
import { Edge, timeout, unary } from './edge.js';

const comparison: VersionComparison = {
  ...{ version: '1', candidate: '2', since: 1_700_000_000_125, notComparable: '' },
  ...{ compared: 2 ** 40, failed: 1, dropped: 2, flips: 3, meanShift: 0.25, largestShift: 0.5 },
  ...{ medianMs: 1.5, candidateMedianMs: 2.5, labelsLeftOut: 4, labelsUnshared: 5, flipsLeftOut: 6 },
  labels: [
    {
      ...{ label: 'bad', held: 7, candidateHeld: 8, flippedFrom: 9, flippedTo: 10 },
      ...{ meanShift: 0.125, largestShift: 0.25 },
    },
  ],
  flippedLabels: [{ from: 'bad', to: 'good', count: 11 }],
};

describe('GetModelComparison', { timeout }, () => {
  it('says how versions differ; a count beyond 32 bits stays at their end', async () => {
    const asked: unknown[] = [];
    const compare = (...words: [string, string]) => {
      asked.push(words);
      return [comparison];
    };
    await Edge.run({ comparisons: { compare } }, async ({ models }) => {
      const request = { model: 'tone', version: '2' };
      const { response } = await unary(models.getModelComparison.bind(models), request, new Metadata());
      const { candidate, since, ...same } = comparison;
      assert.deepEqual(response?.comparisons, [
        { ...same, candidateVersion: candidate, since: new Date(since), compared: 2 ** 32 - 1 },
      ]);
    });
    assert.deepEqual(asked, [['tone', '2']]);
  });

  it('names bad fields, and a model that is not there', async () => {
    const compare = () => {
      throw new VerdictError('not_found', 'there is no model mood', { reason: 'MODEL_NOT_FOUND' });
    };
    await Edge.run({ comparisons: { compare } }, async ({ models }) => {
      const ask = async (model: string, version: string) =>
        (await unary(models.getModelComparison.bind(models), { model, version }, new Metadata())).error;
      const refused = await ask('', 'champion');
      assert.ok(refused);
      assert.deepEqual(detailsOf(refused).fields, ['model', 'version']);
      assert.equal((await ask('mood', ''))?.code, status.NOT_FOUND);
    });
  });
});
