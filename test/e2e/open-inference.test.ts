import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import {
  GRPCInferenceServiceClient,
  RepositoryModelLoadRequest,
  RepositoryModelUnloadRequest,
} from '../../generated/inference/grpc_service.js';
import { inferParameters, inferRequest, textTensor } from '../support/infer-requests.js';
import { Service } from '../support/service.js';
import { unaryOutcome } from '../support/unary-outcome.js';

describe('the Open Inference Protocol', () => {
  let service: Service;
  let client: GRPCInferenceServiceClient;

  before(async () => {
    service = await Service.start(['topics', 'poison', 'softmaxed']);
    client = new GRPCInferenceServiceClient(service.server.address, credentials.createInsecure());
  });

  after(async () => {
    client.close();
    await service.stop();
  });

  const infer = (...args: Parameters<typeof inferRequest>) =>
    unaryOutcome(client.modelInfer.bind(client), inferRequest(...args));

  it('gives the answers of BatchClassify, and shares its cache', async () => {
    const texts = ['match of the day', 'parliament of the day'];
    const { response } = await infer(texts, { parameters: inferParameters({ top_k: 0n }) });
    const runs = await service.itemsRun('topics');
    const own = await service.client.classifyBatch(texts, { topK: 0 });
    assert.equal(await service.itemsRun('topics'), runs, 'the second protocol was answered from the cache');
    const predictions = own.flatMap((result) => (result.ok ? result.classification.predictions : []));
    const [label, score, index] = response?.outputs ?? [];
    assert.deepEqual(label?.shape, [2n, 4n]);
    assert.deepEqual(
      label?.contents?.bytesContents.map(String),
      predictions.map((one) => one.label),
    );
    assert.deepEqual(
      score?.contents?.fp32Contents,
      predictions.map((one) => Math.fround(one.score)),
    );
    assert.deepEqual(
      index?.contents?.intContents,
      predictions.map((one) => one.index),
    );
  });

  it('gives logits that the scores come from', async () => {
    const outputs = ['logits', 'score'].map((name) => ({ name }));
    const { response } = await infer(['the match'], { outputs });
    const [logits = [], scores = []] = (response?.outputs ?? []).map(
      ({ contents }) => contents?.fp32Contents,
    );
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    assert.ok(Math.abs((scores[0] ?? 0) - Math.exp(Math.max(...logits)) / sum) < 1e-6);
  });

  it('classifies pairs as the own service does', async () => {
    const inputs = [textTensor(['the match']), textTensor(['the law'], 'text_pair')];
    const { response } = await infer([], { inputs });
    const own = await service.client.classify({ text: 'the match', textPair: 'the law' });
    assert.deepEqual(response?.outputs[1]?.contents?.fp32Contents, [Math.fround(own.score ?? 0)]);
  });

  it('names the text that the model fails on, or that is too long', async () => {
    const failed = await infer(['soup', 'poison'], { modelName: 'poison' });
    assert.equal(failed.error?.code, status.INTERNAL);
    assert.match(failed.error?.details ?? '', /^inputs\[0\]\[1\]: /);
    const long = await infer(['fine', 'word '.repeat(1_000)], {
      parameters: inferParameters({ truncation: 'reject' }),
    });
    assert.equal(long.error?.code, status.INVALID_ARGUMENT);
    assert.match(long.error?.details ?? '', /^inputs\[0\]\[1\]: is \d+ tokens long/);
  });

  it('names an option that the model does not take in the words of the protocol', async () => {
    const { error } = await infer(['a'], {
      ...{ modelName: 'softmaxed', parameters: inferParameters({ activation: 'sigmoid' }) },
    });
    assert.match(error?.details ?? '', /^parameters\.activation: must be softmax, none or left out/);
  });

  it('gives up at the time that the request sets', async () => {
    const release = service.holdSession('topics');
    try {
      const parameters = inferParameters({ timeout: 50_000n, cache: 'bypass' });
      assert.equal((await infer(['held'], { parameters })).error?.code, status.DEADLINE_EXCEEDED);
    } finally {
      release();
    }
  });

  it('loads models again, and unloads none that stays', async () => {
    const load = (modelName: string) =>
      unaryOutcome(
        client.repositoryModelLoad.bind(client),
        RepositoryModelLoadRequest.fromPartial({ modelName }),
      );
    assert.equal((await load('poison')).error, null);
    assert.equal((await load('nope')).error?.code, status.NOT_FOUND);
    const unloaded = await unaryOutcome(
      client.repositoryModelUnload.bind(client),
      RepositoryModelUnloadRequest.fromPartial({ modelName: 'topics' }),
    );
    assert.equal(unloaded.error?.code, status.INVALID_ARGUMENT);
  });
});
