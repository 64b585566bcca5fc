import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type {
  ModelInferRequest,
  ModelInferResponse_InferOutputTensor as OutputTensor,
} from '../../../../generated/inference/grpc_service.js';
import { Identity } from '../../../../src/auth/identity.js';
import type { Scope } from '../../../../src/auth/scopes.js';
import { WeightedFlow } from '../../../../src/claim.js';
import type { Classification, InputRequest } from '../../../../src/classify/types.js';
import { invalidField, VerdictError } from '../../../../src/errors.js';
import { RateLimiter } from '../../../../src/ratelimit/rate-limiter.js';
import { readElements } from '../../../../src/rpc/open-inference/bytes-elements.js';
import {
  inferParameters,
  inferRequest,
  rawInferRequest,
  textTensor,
} from '../../../support/infer-requests.js';
import { detailsOf } from '../details.js';
import { answerTo, type Classify, Edge, type EdgeParts, HeldClassifier, timeout, unary } from '../edge.js';

function infer(edge: Edge, request: ModelInferRequest, fields: Readonly<Record<string, string>> = {}) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  const client = edge.inference;
  return unary(client.modelInfer.bind(client), request, metadata);
}

/** Two predictions, `text` and `other`, with logits of their own. */
const twoLabels = (item: InputRequest): Classification => ({
  ...answerTo(item),
  predictions: [
    { label: item.input.text, score: 0.75, index: 1 },
    { label: 'other', score: 0.25, index: 0 },
  ],
  logits: Float32Array.of(-1, item.input.text.length),
});

const inTypes = ({ name, datatype, shape, contents }: OutputTensor) => ({
  ...{ name, datatype, shape: shape.map(Number) },
  texts: contents?.bytesContents.map(String) ?? [],
  numbers: [...(contents?.fp32Contents ?? []), ...(contents?.intContents ?? [])],
});

describe('ModelInfer', { timeout }, () => {
  it('answers with label, score and index, a row for each text', async () => {
    await Edge.run({ classify: twoLabels }, async (edge) => {
      const { response } = await infer(
        edge,
        inferRequest(['a', 'b'], { id: 'mine', modelName: 'sentiment' }),
      );
      assert.deepEqual(
        [response?.modelName, response?.modelVersion, response?.id, response?.rawOutputContents.length],
        ['sentiment', '1', 'mine', 0],
      );
      assert.deepEqual(response?.outputs.map(inTypes), [
        { name: 'label', datatype: 'BYTES', shape: [2, 2], texts: ['a', 'other', 'b', 'other'], numbers: [] },
        { name: 'score', datatype: 'FP32', shape: [2, 2], texts: [], numbers: [0.75, 0.25, 0.75, 0.25] },
        { name: 'index', datatype: 'INT32', shape: [2, 2], texts: [], numbers: [1, 0, 1, 0] },
      ]);
    });
  });

  it('answers tensors as they lie in memory with such tensors', async () => {
    await Edge.run({ classify: twoLabels }, async (edge) => {
      const outputs = ['index', 'LOGITS', 'label', 'score'].map((name) => ({ name }));
      const { response } = await infer(edge, rawInferRequest(['é', 'bcd'], { outputs }));
      assert.deepEqual(
        response?.outputs.map(({ name, contents }) => [name, contents]),
        [
          ['index', undefined],
          ['LOGITS', undefined],
          ['label', undefined],
          ['score', undefined],
        ],
      );
      const [index, logits, label, score] = response?.rawOutputContents ?? [];
      assert.deepEqual(index && [0, 4, 8, 12].map((at) => index.readInt32LE(at)), [1, 0, 1, 0]);
      assert.deepEqual(logits && [0, 4, 8, 12].map((at) => logits.readFloatLE(at)), [-1, 1, -1, 3]);
      assert.deepEqual(score && [0, 4, 8, 12].map((at) => score.readFloatLE(at)), [0.75, 0.25, 0.75, 0.25]);
      const labels = readElements(label ?? Buffer.of(), 4);
      assert.deepEqual(Array.isArray(labels) && labels.map(String), ['é', 'other', 'bcd', 'other']);
    });
  });

  it('fills rows up to the longest, so that they are a tensor', async () => {
    const classify: Classify = (item) =>
      item.input.text === 'none' ? { ...twoLabels(item), predictions: [] } : twoLabels(item);
    await Edge.run({ classify }, async (edge) => {
      const { response } = await infer(edge, inferRequest(['none', 'b']));
      const [label, score, index] = response?.outputs.map(inTypes) ?? [];
      assert.deepEqual(label?.texts, ['', '', 'b', 'other']);
      assert.deepEqual(score?.numbers, [0, 0, 0.75, 0.25]);
      assert.deepEqual(index?.numbers, [-1, -1, 1, 0]);
      const alone = await infer(edge, inferRequest(['none']));
      assert.deepEqual(
        alone.response?.outputs.map(({ shape }) => shape),
        [
          [1n, 0n],
          [1n, 0n],
          [1n, 0n],
        ],
      );
    });
  });

  it('gives the classifier what Classify gives it', async () => {
    const seen: InputRequest[] = [];
    const classify: Classify = (item) => {
      seen.push(item);
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      const inputs = [textTensor(['a']), textTensor(['b'], 'text_pair')];
      const parameters = inferParameters({ top_k: 0n });
      await infer(
        edge,
        inferRequest([], { modelName: 'intent', modelVersion: 'champion', inputs, parameters }),
      );
      assert.deepEqual(seen, [
        {
          ...{
            model: 'intent',
            version: 'champion',
            input: { text: 'a', textPair: 'b' },
            routingKey: undefined,
          },
          options: {
            topK: 0,
            minScore: undefined,
            activation: undefined,
            truncation: undefined,
            cache: 'use',
          },
        },
      ]);
    });
  });

  it('keeps the texts of one request together, by the first one or by the key of the call', async () => {
    const keys: unknown[] = [];
    const classify: Classify = (item) => {
      keys.push(item.routingKey);
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      await infer(edge, inferRequest(['a']));
      await infer(edge, inferRequest(['a', 'b']));
      await infer(edge, inferRequest(['a', 'b']), { 'verdict-routing-key': 'k' });
      assert.deepEqual(keys, [undefined, 'a', 'a', 'k', 'k']);
    });
  });

  it('does not mix the answers of two versions', async () => {
    const classify: Classify = (item) => ({ ...answerTo(item), version: item.input.text });
    await Edge.run({ classify }, async (edge) => {
      const { error } = await infer(edge, inferRequest(['1', '2']));
      assert.equal(error?.code, status.UNAVAILABLE);
      assert.equal(detailsOf(error).reason, 'VERSION_CHANGED');
    });
  });

  it('is interactive with one text and bulk with several, unless call or priority say otherwise', async () => {
    const classes: string[] = [];
    const classify: Classify = (item, claim) => {
      classes.push(claim.serviceClass);
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      await infer(edge, inferRequest(['a']));
      await infer(edge, inferRequest(['a', 'b']));
      await infer(edge, inferRequest(['a']), { 'verdict-class': 'bulk' });
      await infer(edge, inferRequest(['a'], { parameters: inferParameters({ priority: 3n }) }));
      await infer(edge, inferRequest(['a'], { parameters: inferParameters({ priority: 1n }) }), {
        'verdict-class': 'bulk',
      });
      assert.deepEqual(classes, ['interactive', 'bulk', 'bulk', 'bulk', 'bulk', 'interactive']);
    });
  });

  it('gives a request the time that it asks for, and never more than the call has', async () => {
    const left: number[] = [];
    const classify: Classify = (item, claim) => {
      left.push(claim.deadlineAt - performance.now());
      return answerTo(item);
    };
    await Edge.run({ classify, options: { defaultDeadlineMs: 5_000 } }, async (edge) => {
      const withTimeout = (microseconds: bigint) =>
        infer(edge, inferRequest(['a'], { parameters: inferParameters({ timeout: microseconds }) }));
      await withTimeout(1_000_000n);
      await withTimeout(1_000_000_000_000n);
      await withTimeout(0n);
      const [short = 0, long = 0, none = 0] = left;
      assert.ok(short <= 1_000, String(short));
      assert.ok(long > 1_000 && long <= 5_000, String(long));
      assert.ok(none > 1_000 && none <= 5_000, String(none));
    });
  });
});

describe('a text that fails', { timeout }, () => {
  const failing = (error: unknown): Classify => {
    return (item) => {
      if (item.input.text !== 'bad') return answerTo(item);
      throw error;
    };
  };

  it('fails the call, which names it', async () => {
    await Edge.run({ classify: failing(invalidField('text', 'is 9 tokens long')) }, async (edge) => {
      const { error } = await infer(edge, inferRequest(['a', 'bad']));
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.equal(error?.details, 'inputs[0][1]: is 9 tokens long');
      assert.deepEqual(detailsOf(error).fields, ['inputs[0][1]']);
    });
  });

  it('fails it with the option named as a parameter', async () => {
    const wrong = invalidField(
      'options.activation',
      'must be ACTIVATION_SOFTMAX, ACTIVATION_NONE or left out',
    );
    await Edge.run({ classify: failing(wrong) }, async (edge) => {
      const { error } = await infer(edge, inferRequest(['bad']));
      assert.equal(error?.details, 'parameters.activation: must be softmax, none or left out');
    });
  });

  it('is named where the server is at fault, and the cause stays in the log', async () => {
    const cause = new Error('poison');
    const poison = new VerdictError('internal', 'the model failed', { reason: 'RUN_FAILED', cause });
    await Edge.run({ classify: failing(poison) }, async (edge) => {
      const { error } = await infer(edge, inferRequest(['a', 'b', 'bad']));
      assert.equal(error?.code, status.INTERNAL);
      assert.equal(error?.details, 'inputs[0][2]: the model failed');
      assert.equal((await edge.handledCall()).cause, cause);
    });
  });

  it('gives up the others', async () => {
    const held = new HeldClassifier();
    const classify: Classify = (item, claim) =>
      item.input.text === 'bad' ? Promise.reject(invalidField('text', 'no')) : held.classify(item, claim);
    await Edge.run({ classify }, async (edge) => {
      await infer(edge, inferRequest(['a', 'bad']));
      assert.equal(held.callers.get('a')?.signal.aborted, true);
      held.fail('a', new VerdictError('cancelled', 'gone', { reason: 'X' }));
    });
  });

  it('is refused before any of them is classified if it is wrong in itself', async () => {
    let classified = 0;
    const classify: Classify = (item) => {
      classified++;
      return answerTo(item);
    };
    await Edge.run({ classify }, async (edge) => {
      const { error } = await infer(edge, inferRequest(['a', '']));
      assert.equal(error?.details, 'inputs[0][1]: must not be empty');
      assert.equal(classified, 0);
    });
  });
});

describe('what holds for callers of the own service', { timeout }, () => {
  const known = (scopes: readonly Scope[], models?: readonly string[]): EdgeParts => ({
    interceptors: [
      {
        intercept: (call) => {
          const facts = { name: 'key:a', scopes, models, limits: undefined, cache: undefined };
          call.identify(new Identity({ ...facts, flow: new WeightedFlow(1) }));
          return undefined;
        },
      },
    ],
  });

  it('limits count every text', async () => {
    const defaults = { requestsPerMinute: 3, tokensPerMinute: 0, textsInFlight: 0 };
    await Edge.run({ limiter: new RateLimiter({ defaults }) }, async (edge) => {
      assert.equal((await infer(edge, inferRequest(['a', 'b', 'c']))).error, null);
      const { error } = await infer(edge, inferRequest(['a']));
      assert.equal(detailsOf(error).reason, 'RATE_LIMITED');
    });
  });

  it('models that a caller may not use are refused in every method, and are not on the index', async () => {
    await Edge.run(known(['classify'], ['intent']), async (edge) => {
      const client = edge.inference;
      const named = { name: 'sentiment', version: '' };
      const { error } = await infer(edge, inferRequest(['a']));
      const ready = await unary(client.modelReady.bind(client), named, new Metadata());
      const metadata = await unary(client.modelMetadata.bind(client), named, new Metadata());
      const config = await unary(client.modelConfig.bind(client), named, new Metadata());
      for (const refused of [error, ready.error, metadata.error, config.error])
        assert.equal(detailsOf(refused).reason, 'MODEL_NOT_PERMITTED');
      const all = { repositoryName: '', ready: false };
      const index = await unary(client.repositoryIndex.bind(client), all, new Metadata());
      assert.deepEqual(index.response, { models: [] });
    });
  });

  it('the interactive class is for those who may ask for it', async () => {
    const urgent = inferRequest(['a', 'b'], { parameters: inferParameters({ priority: 1n }) });
    await Edge.run(known(['classify']), async (edge) => {
      assert.equal(detailsOf((await infer(edge, urgent)).error).reason, 'MISSING_SCOPE');
      const alone = inferRequest(['a'], { parameters: inferParameters({ priority: 1n }) });
      assert.equal((await infer(edge, alone)).error, null);
    });
    await Edge.run(known(['classify', 'interactive']), async (edge) => {
      assert.equal((await infer(edge, urgent)).error, null);
    });
  });
});
