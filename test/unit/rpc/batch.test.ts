import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type {
  BatchClassifyRequest,
  BatchClassifyResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import { type ErrorCode, VerdictError } from '../../../src/errors.js';
import { batchRequest } from '../../support/requests.js';
import { decodeStatus, detailsOf } from './details.js';
import { answerTo, type Classify, Edge, HeldClassifier, type Outcome, timeout, unary } from './edge.js';

async function batch(
  classify: Classify,
  request: BatchClassifyRequest,
  check: (outcome: Outcome<BatchClassifyResponse>, edge: Edge) => void | Promise<void>,
): Promise<void> {
  await Edge.run({ classify }, async (edge) => {
    const client = edge.classifier;
    await check(await unary(client.batchClassify.bind(client), request, new Metadata()), edge);
  });
}

/** Labels and error codes, in order. */
function results(response: BatchClassifyResponse | undefined): unknown[] {
  return (response?.results ?? []).map(({ outcome }) =>
    outcome?.$case === 'classification' ? outcome.value.predictions[0]?.label : outcome?.value.code,
  );
}

test('results come in the order of the inputs, at hand or not', { timeout }, async () => {
  const classify: Classify = (item) =>
    item.input.text === 'b'
      ? answerTo(item)
      : new Promise((resolve) => setImmediate(() => resolve(answerTo(item))));
  await batch(classify, batchRequest(['a', 'b', 'c']), ({ response }) => {
    assert.deepEqual(results(response), ['a', 'b', 'c']);
  });
  await batch(
    (item) => answerTo(item),
    batchRequest(['a', 'b']),
    ({ response }) => {
      assert.deepEqual(results(response), ['a', 'b']);
    },
  );
});

test('a bad input in the middle fails alone, its field named from the batch', { timeout }, async () => {
  await batch(
    (item) => answerTo(item),
    batchRequest(['a', '', 'c']),
    ({ error, response }) => {
      assert.equal(error, null);
      assert.deepEqual(results(response), ['a', status.INVALID_ARGUMENT, 'c']);
      const failed = response?.results[1]?.outcome;
      assert.ok(failed?.$case === 'error');
      assert.deepEqual(decodeStatus(failed.value).fields, ['inputs[1].text']);
      assert.equal(failed.value.message, 'inputs[1].text: must not be empty');
    },
  );
});

test('an internal failure of one input fails it alone, and its cause is logged', { timeout }, async () => {
  const cause = new Error('poison');
  const classify: Classify = async (item) => {
    if (item.input.text === 'poison') throw cause;
    return answerTo(item);
  };
  await batch(classify, batchRequest(['a', 'poison']), ({ response }, edge) => {
    assert.deepEqual(results(response), ['a', status.INTERNAL]);
    assert.deepEqual(edge.itemFailures, [cause]);
  });
});

test('an input that does not fit the memory even alone fails alone', { timeout }, async () => {
  const classify: Classify = async (item) => {
    if (item.input.text === 'huge')
      throw new VerdictError('resource_exhausted', 'no', { reason: 'OUT_OF_MEMORY' });
    return answerTo(item);
  };
  await batch(classify, batchRequest(['a', 'huge']), ({ response }) => {
    assert.deepEqual(results(response), ['a', status.RESOURCE_EXHAUSTED]);
  });
});

for (const code of [
  'not_found',
  'resource_exhausted',
  'unavailable',
  'deadline_exceeded',
  'cancelled',
] satisfies ErrorCode[]) {
  test(`${code} of one input fails the call and gives up the others`, { timeout }, async () => {
    for (const atOnce of [true, false]) {
      const held = new HeldClassifier();
      const error = new VerdictError(code, 'no', { reason: 'X', retryAfterMs: 1 });
      const classify: Classify = (item, caller) => {
        if (item.input.text !== 'bad') return held.classify(item, caller);
        if (atOnce) throw error;
        return Promise.reject(error);
      };
      await batch(classify, batchRequest(['a', 'bad']), (outcome) => {
        assert.equal(outcome.error?.code, status[code.toUpperCase() as Uppercase<typeof code>]);
        assert.equal(held.callers.get('a')?.signal.aborted, true);
        held.fail('a', new VerdictError('cancelled', 'gone', { reason: 'X' }));
      });
    }
  });
}

test('no input, too many inputs and bad options fail the call, all named', { timeout }, async () => {
  await batch(
    (item) => answerTo(item),
    batchRequest([]),
    ({ error }) => {
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).fields, ['inputs']);
    },
  );
  const request = batchRequest(['a', 'b', 'c', 'd', 'e'], {
    model: '-',
    version: '0',
    options: { topK: 1, minScore: Number.POSITIVE_INFINITY, activation: 0, truncation: 0, cache: 0 },
  });
  await batch(
    (item) => answerTo(item),
    request,
    ({ error }) => {
      assert.deepEqual(detailsOf(error).fields, ['model', 'version', 'inputs', 'options.min_score']);
    },
  );
});

test('all inputs of a batch share one signal, which the end of the call aborts', { timeout }, async () => {
  const held = new HeldClassifier();
  await Edge.run({ classify: held.classify }, async (edge) => {
    const call = edge.classifier.batchClassify(batchRequest(['a', 'b']), () => {});
    await held.arrived('b');
    const signals = ['a', 'b'].map((text) => held.callers.get(text)?.signal);
    assert.equal(signals[0], signals[1]);
    call.cancel();
    await edge.handledCall();
    assert.equal(signals[0]?.aborted, true);
  });
});
