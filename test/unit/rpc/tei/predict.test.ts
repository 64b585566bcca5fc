import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { PredictPairRequest, PredictRequest, TruncationDirection } from '../../../../generated/tei/v1/tei.js';
import type { Classification, InputRequest } from '../../../../src/classify/types.js';
import { invalidField, VerdictError } from '../../../../src/errors.js';
import { detailsOf } from '../details.js';
import { answerTo, type Classify, Edge, timeout, unary } from '../edge.js';

const predict = ({ predict: client }: Edge, fields: Partial<PredictRequest>) =>
  unary(client.predict.bind(client), PredictRequest.fromPartial(fields), new Metadata());

const predictPair = ({ predict: client }: Edge, fields: Partial<PredictPairRequest>) =>
  unary(client.predictPair.bind(client), PredictPairRequest.fromPartial(fields), new Metadata());

/** Of a model with several labels at once: each has a score of its own. */
const severalLabels = (item: InputRequest): Classification => ({
  ...answerTo(item),
  predictions: [
    { label: 'sports', score: 0.9375, index: 2 },
    { label: 'politics', score: 0.875, index: 0 },
    { label: 'food', score: 0.0625, index: 1 },
  ],
});

describe('Predict', () => {
  it('gives the labels of a multi-label model as they are: every one, each with its own score', {
    timeout,
  }, async () => {
    await Edge.run({ classify: severalLabels }, async (edge) => {
      const { response } = await predict(edge, { inputs: 'a' });
      assert.deepEqual(response?.predictions, [
        { label: 'sports', score: 0.9375 },
        { label: 'politics', score: 0.875 },
        { label: 'food', score: 0.0625 },
      ]);
    });
  });

  const asked: readonly (readonly [
    fields: Omit<Partial<PredictRequest>, 'inputs'>,
    activation: string | undefined,
    truncation: string,
  ])[] = [
    [{}, undefined, 'reject'],
    [{ rawScores: true }, 'none', 'reject'],
    [{ truncate: true }, undefined, 'end'],
    [{ truncate: true, truncationDirection: TruncationDirection.LEFT }, undefined, 'start'],
    [{ truncationDirection: TruncationDirection.LEFT }, undefined, 'reject'],
  ];
  for (const [fields, activation, truncation] of asked) {
    it(`asks the classifier for activation ${activation} and truncation ${truncation} with ${JSON.stringify(fields)}`, {
      timeout,
    }, async () => {
      const seen: InputRequest[] = [];
      const classify: Classify = (item) => {
        seen.push(item);
        return answerTo(item);
      };
      await Edge.run({ classify }, async (edge) => {
        await predict(edge, { inputs: 'a', ...fields });
        await predictPair(edge, { inputs: ['a', 'b'], ...fields });
      });
      const options = { topK: 0, minScore: undefined, activation, truncation, cache: 'use' };
      const common = { model: '', version: '', routingKey: undefined, options };
      assert.deepEqual(seen, [
        { ...common, input: { text: 'a' } },
        { ...common, input: { text: 'a', textPair: 'b' } },
      ]);
    });
  }

  const refused: readonly (readonly [fields: Partial<PredictPairRequest>, message: string])[] = [
    [{ inputs: [] }, 'inputs: must have one text or two, has 0'],
    [{ inputs: ['a', 'b', 'c'] }, 'inputs: must have one text or two, has 3'],
    [{ inputs: ['a', ''] }, 'inputs: must not be empty'],
    [
      { inputs: ['a'], truncationDirection: TruncationDirection.UNRECOGNIZED },
      'truncation_direction: must be 0 or 1',
    ],
  ];
  for (const [fields, message] of refused) {
    it(`refuses ${JSON.stringify(fields)}`, { timeout }, async () => {
      await Edge.run({}, async (edge) => {
        const { error } = await predictPair(edge, fields);
        assert.deepEqual([error?.code, error?.details], [status.INVALID_ARGUMENT, message]);
      });
    });
  }

  it('names every bad field at once', { timeout }, async () => {
    await Edge.run({}, async (edge) => {
      const { error } = await predictPair(edge, {
        inputs: [],
        truncationDirection: TruncationDirection.UNRECOGNIZED,
      });
      assert.deepEqual(detailsOf(error).fields, ['inputs', 'truncation_direction']);
    });
  });

  it('names fields as this interface has them, whether the classifier refuses at once or later', {
    timeout,
  }, async () => {
    const errors: Readonly<Record<string, VerdictError>> = {
      raw: invalidField('options.activation', 'must not be none'),
      long: invalidField('text', 'is 700 tokens long'),
    };
    const classify: Classify = (item) => {
      const error = errors[item.input.text];
      if (error === undefined) return Promise.reject(errors.long);
      throw error;
    };
    await Edge.run({ classify }, async (edge) => {
      for (const [inputs, field, message] of [
        ['raw', 'raw_scores', 'raw_scores: must not be none'],
        ['long', 'inputs', 'inputs: is 700 tokens long'],
        ['later', 'inputs', 'inputs: is 700 tokens long'],
      ] as const) {
        const { error } = await predict(edge, { inputs });
        assert.deepEqual([error?.code, error?.details], [status.INVALID_ARGUMENT, message]);
        assert.deepEqual(detailsOf(error).fields, [field]);
      }
    });
  });

  it('leaves errors that name no field as they are', { timeout }, async () => {
    const classify: Classify = async () => {
      throw new VerdictError('resource_exhausted', 'full', { reason: 'QUEUE_FULL', retryAfterMs: 40 });
    };
    await Edge.run({ classify }, async (edge) => {
      const { error } = await predict(edge, { inputs: 'a' });
      assert.deepEqual([error?.code, error?.details], [status.RESOURCE_EXHAUSTED, 'full']);
      assert.deepEqual([detailsOf(error).reason, detailsOf(error).retryMs], ['QUEUE_FULL', 40]);
    });
  });
});
