import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fromServiceError } from '../../clients/typescript/src/client-error.js';
import {
  type Classification,
  type ClassifyCallOptions,
  VerdictClientError,
} from '../../clients/typescript/src/index.js';
import { ClassifyOptions } from '../../generated/verdict/v1/classification.js';
import { textRequest } from '../support/requests.js';
import { Service } from '../support/service.js';
import { unaryOutcome } from '../support/unary-outcome.js';

const text = 'The chef made a great soup.';

/** Topics in the order of the model's output. */
const topics = ['sports', 'politics', 'technology', 'food'];

describe('the options of a request', () => {
  let service: Service;
  const classify = (options: ClassifyCallOptions): Promise<Classification> =>
    service.client.classify(text, options);

  before(async () => {
    service = await Service.start(['topics', 'pairs']);
  });

  after(() => service.stop());

  /** The raw logits of the text, in the order of the model's output. */
  async function logitsOf(model: string): Promise<number[]> {
    const { predictions } = await classify({ model, topK: 0, activation: 'none' });
    return [...predictions].sort((a, b) => a.index - b.index).map(({ score }) => score);
  }

  it('top_k limits the predictions, which come best first; 0 and large numbers mean all', async () => {
    const all = await classify({ topK: 0 });
    assert.deepEqual(all.predictions.map(({ label }) => label).sort(), [...topics].sort());
    for (const { label, index } of all.predictions) assert.equal(label, topics[index]);
    const scores = all.predictions.map(({ score }) => score);
    assert.deepEqual(
      scores,
      [...scores].sort((a, b) => b - a),
    );
    for (const topK of [1, 2, 4, 5, 2 ** 32 - 1]) {
      assert.deepEqual((await classify({ topK })).predictions, all.predictions.slice(0, topK));
    }
    assert.deepEqual((await classify({})).predictions, all.predictions.slice(0, 1));
  });

  it('min_score leaves out what scores lower, before top_k counts, and may leave nothing', async () => {
    const { predictions } = await classify({ topK: 0 });
    const third = predictions[2]?.score ?? Number.NaN;
    assert.deepEqual((await classify({ topK: 0, minScore: third })).predictions, predictions.slice(0, 3));
    assert.deepEqual((await classify({ topK: 2, minScore: third })).predictions, predictions.slice(0, 2));
    const nothing = await classify({ minScore: 1.5 });
    assert.deepEqual([nothing.predictions, nothing.label, nothing.score], [[], undefined, undefined]);
    assert.equal((await classify({ topK: 0, minScore: -1e30 })).predictions.length, 4);
  });

  it('a multi-label model scores every label on its own unless told otherwise', async () => {
    const logits = await logitsOf('topics');
    const expected = logits.map((logit) => Math.fround(1 / (1 + Math.exp(-logit))));
    for (const activation of [undefined, 'sigmoid'] as const) {
      const { predictions } = await classify({ topK: 0, activation });
      for (const { index, score } of predictions) {
        assert.ok(Math.abs(score - (expected[index] ?? Number.NaN)) < 1e-6);
      }
    }
    const sum = expected.reduce((total, score) => total + score, 0);
    assert.ok(Math.abs(sum - 1) > 0.01, `sigmoid scores need not sum to 1, these do: ${sum}`);
  });

  it('a single-label model shares 1 among its labels unless told otherwise', async () => {
    const exponentials = (await logitsOf('pairs')).map(Math.exp);
    const sum = exponentials.reduce((total, value) => total + value, 0);
    for (const activation of [undefined, 'softmax'] as const) {
      const { predictions } = await classify({ model: 'pairs', topK: 0, activation });
      for (const { index, score } of predictions) {
        assert.ok(Math.abs(score - (exponentials[index] ?? Number.NaN) / sum) < 1e-6);
      }
    }
  });

  it('either kind of model takes the other activation', async () => {
    const softmax = await classify({ topK: 0, activation: 'softmax' });
    const sum = softmax.predictions.reduce((total, { score }) => total + score, 0);
    assert.ok(Math.abs(sum - 1) < 1e-6);
    const [first = Number.NaN] = await logitsOf('pairs');
    const sigmoid = await classify({ model: 'pairs', topK: 0, activation: 'sigmoid' });
    const score = sigmoid.predictions.find(({ index }) => index === 0)?.score ?? Number.NaN;
    assert.ok(Math.abs(score - 1 / (1 + Math.exp(-first))) < 1e-6);
  });

  it('what only shapes the answer computes nothing again', async () => {
    await classify({});
    const runs = await service.itemsRun('topics');
    for (const options of [{ topK: 3 }, { minScore: 0.5 }, { activation: 'none' }] as const) {
      assert.equal((await classify(options)).cache, 'lru');
    }
    assert.equal(await service.itemsRun('topics'), runs);
  });

  it('numbers that are not finite and values that no enum has are refused by name', async () => {
    const options = ClassifyOptions.fromPartial({
      minScore: Number.POSITIVE_INFINITY,
      activation: 9 as never,
      truncation: -1 as never,
      cache: 3 as never,
    });
    const { classifier } = service;
    const { error } = await unaryOutcome(
      classifier.classify.bind(classifier),
      textRequest(text, { options }),
    );
    assert.equal(error?.code, status.INVALID_ARGUMENT);
    assert.deepEqual(error && fromServiceError(error, undefined).violations, [
      { field: 'options.min_score', description: 'must be a finite number' },
      { field: 'options.activation', description: 'must be one of 0 to 3' },
      { field: 'options.truncation', description: 'must be one of 0 to 3' },
      { field: 'options.cache', description: 'must be one of 0 to 2' },
    ]);
  });

  it('a top_k that is no number of labels never leaves the client', async () => {
    for (const topK of [-1, 1.5, 2 ** 32]) {
      await assert.rejects(classify({ topK }), (error) => {
        assert.ok(error instanceof VerdictClientError);
        return error.code === 'INVALID_ARGUMENT' && error.reason === 'CLIENT_ARGUMENT';
      });
    }
  });
});
