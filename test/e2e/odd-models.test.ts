import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ClassifyOptions } from '../../clients/typescript/src/index.js';
import { collect } from '../support/collect.js';
import { outcomeOf } from '../support/outcomes.js';
import { Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Padding, and words that these models know. */
const LONG = 'the film a film not the film a fine film '.repeat(3);
const SHORT = ['good', 'bad', 'a fine film', 'awful', 'not good', 'the bad film'];

const scoresOf = (predictions: readonly { readonly label: string; readonly score: number }[]) =>
  Object.fromEntries(predictions.map(({ label, score }) => [label, score]));

const every = { topK: 0, cache: 'bypass' } as const satisfies ClassifyOptions;

describe('a model whose answers change with the neighbours in a batch', () => {
  let service: Service;
  const batchings = {
    plain: 'padded',
    unmasked: 'equal_length',
    'mask-ignored': 'equal_length',
    'last-token': 'equal_length',
    'batch-mean': 'one_at_a_time',
  } as const;
  const names = Object.keys(batchings) as [keyof typeof batchings, ...(keyof typeof batchings)[]];

  before(async () => {
    service = await Service.start(names, { VERDICT_MODEL_CACHE_SIZE: '0' });
  });

  after(() => service.stop());

  it('is told by GetModel, the metrics and the log', async () => {
    const page = await (await service.page('/metrics')).text();
    for (const name of names) {
      const [version] = (await service.client.getModel(name)).versions;
      assert.equal(version?.batching, batchings[name], name);
      assert.match(page, new RegExp(`verdict_model_info{model="${name}".*batching="${batchings[name]}"`));
      const served = service.server.log.find(({ msg, model }) => msg === 'model serves' && model === name);
      assert.equal(served?.batching, batchings[name]);
    }
  });

  it('answers beside others as it does alone', async () => {
    for (const model of names) {
      const alone = [];
      for (const text of [...SHORT, LONG]) {
        alone.push(scoresOf((await service.client.classify(text, { ...every, model })).predictions));
      }
      const together = await service.client.classifyBatch([...SHORT, LONG], { ...every, model });
      const streamed = await collect(
        service.client.classifyStream([LONG, ...[...SHORT].reverse()], {
          defaultModel: model,
          defaultOptions: every,
        }),
      );
      assertClose(alone, together.map(scored), model);
      assertClose(alone, streamed.map(scored).reverse(), model);
    }
  });

  it('computes several inputs of one length in one run where it may', async () => {
    const runs = async (model: string) => {
      const before = await service.server.metric('verdict_batch_items_count', { model });
      const release = service.holdSession(model);
      const first = service.client.classify('the', { ...every, model });
      await service.untilRunning(model);
      const others = service.client.classifyBatch(['good', 'bad', 'awful', 'fine'], { ...every, model });
      await service.untilQueued(model, 4);
      release();
      await Promise.all([first, others]);
      return (await service.server.metric('verdict_batch_items_count', { model })) - before;
    };
    assert.deepEqual([await runs('unmasked'), await runs('batch-mean')], [2, 5]);
  });
});

function scored(result: {
  readonly ok: boolean;
  readonly classification?: { readonly predictions: readonly { label: string; score: number }[] };
}): Record<string, number> {
  assert.ok(result.ok);
  return scoresOf(result.classification?.predictions ?? []);
}

function assertClose(
  expected: readonly Record<string, number>[],
  actual: readonly Record<string, number>[],
  model: string,
): void {
  assert.equal(actual.length, expected.length);
  for (const [index, scores] of expected.entries()) {
    for (const [label, score] of Object.entries(scores)) {
      const got = actual[index]?.[label] ?? Number.NaN;
      assert.ok(Math.abs(got - score) < 1e-4, `${model}, text ${index}: ${label} ${got} instead of ${score}`);
    }
  }
}

describe('a text that a model has no finite number for', () => {
  let service: Service;
  const failed = 'INTERNAL NON_FINITE_LOGITS';

  before(async () => {
    service = await Service.start(['not-finite']);
  });

  after(() => service.stop());

  it('fails alone, whoever it comes with, and is neither kept nor counted as a success', async () => {
    const texts = ['good', 'nan', 'bad', 'a huge film', 'a fine film', LONG];
    const batch = await service.client.classifyBatch(texts, { minScore: 0.1 });
    assert.deepEqual(
      batch.map((result) => outcomeOf(result.ok ? undefined : result.error)),
      ['OK', failed, 'OK', failed, 'OK', 'OK'],
    );
    assert.deepEqual(
      batch.map((result) => (result.ok ? result.classification.label : '')),
      ['GOOD', '', 'BAD', '', 'GOOD', batch[5]?.ok ? batch[5].classification.label : 'none'],
    );
    for (const text of ['nan', 'nan', 'a huge film']) {
      await assert.rejects(service.client.classify(text), { code: 'INTERNAL', reason: 'NON_FINITE_LOGITS' });
    }
    assert.equal((await service.client.classify('good')).cache, 'lru');
    const counted = (status: string) => service.server.metric('inference_requests_total', { status });
    assert.deepEqual(
      [await counted('success'), await counted('error'), await counted('cache_hit')],
      [4, 5, 1],
    );
    assert.equal(await service.server.metric('verdict_inputs_failed_total', { reason: 'non_finite' }), 5);
    assert.equal(await service.server.metric('verdict_instances_lost_total'), 0);
  });
});

describe('a graph that makes scores of its logits itself', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(['plain', 'softmaxed', 'softmaxed-by-hand', 'sigmoided', 'one-label'], {
      VERDICT_MODEL_CACHE_SIZE: '0',
    });
  });

  after(() => service.stop());

  const scores = async (model: string, options: ClassifyOptions = {}) =>
    scoresOf((await service.client.classify('good', { ...every, ...options, model })).predictions);

  it('is answered with its own scores, and says so', async () => {
    const expected = await scores('plain');
    for (const model of ['softmaxed', 'softmaxed-by-hand']) {
      for (const activation of [undefined, 'softmax', 'none'] as const) {
        assertClose([expected], [await scores(model, { activation })], model);
      }
      assert.equal((await service.client.getModel(model)).versions[0]?.appliedActivation, 'softmax');
    }
    assertClose([await scores('plain', { activation: 'sigmoid' })], [await scores('sigmoided')], 'sigmoided');
    assert.equal((await service.client.getModel('sigmoided')).versions[0]?.appliedActivation, 'sigmoid');
    assert.equal((await service.client.getModel('plain')).versions[0]?.appliedActivation, undefined);
  });

  it('cannot be asked for another activation', async () => {
    await assert.rejects(service.client.classify('good', { model: 'softmaxed', activation: 'sigmoid' }), {
      code: 'INVALID_ARGUMENT',
      message: /options\.activation: must be ACTIVATION_SOFTMAX, ACTIVATION_NONE or left out/,
    });
    const [result] = await service.client.classifyBatch(['good'], {
      model: 'sigmoided',
      activation: 'softmax',
    });
    assert.ok(result !== undefined && !result.ok);
    assert.equal(result.error.code, 'INVALID_ARGUMENT');
  });

  it('one label is a yes or no of its own, as in the pipeline of Transformers', async () => {
    // The mean of [CLS], good and [SEP] is -1.
    const { toxic } = await scores('one-label');
    assert.ok(Math.abs((toxic ?? 0) - 1 / (1 + Math.E)) < 1e-6);
  });
});

describe('models of which some cannot be loaded', () => {
  let service: Service;

  before(async () => {
    service = await Service.start(
      ['plain', 'restless', 'never-finite', 'hidden-positions', 'few-positions'],
      {
        VERDICT_MODEL_CACHE_SIZE: '0',
      },
    );
  });

  after(() => service.stop());

  it('are served but for those, and everything tells which and why', async () => {
    const reasons = {
      restless: /answers the same text differently from run to run/,
      'never-finite': /gives no finite number/,
      'hidden-positions':
        /fails on a text of 64 tokens, .* lower max_position_embeddings .* or VERDICT_MAX_TOKENS/,
    };
    const readyz = await service.page('/readyz');
    assert.equal(readyz.status, 200);
    const ready = await readyz.text();
    for (const [name, reason] of Object.entries(reasons)) {
      const { servingVersion, versions } = await service.client.getModel(name);
      assert.deepEqual([servingVersion, versions[0]?.state], ['', 'failed']);
      assert.match(versions[0]?.stateReason ?? '', reason);
      assert.match(versions[0]?.stateReason ?? '', new RegExp(`^${name}/1/onnx/model.onnx: `));
      await assert.rejects(service.client.classify('good', { model: name }), {
        code: 'UNAVAILABLE',
        reason: 'MODEL_NOT_LOADED',
      });
      assert.equal(await service.client.health(`models/${name}`), 'not_serving');
      assert.ok(ready.includes(`${name}/1 could not be loaded: `));
      const state = { model: name, state: 'failed' };
      assert.equal(await service.server.metric('verdict_model_state', state), 1);
      const line = service.server.log.find(
        ({ msg, model }) => model === name && /could not be/.test(String(msg)),
      );
      assert.match(String(line?.reason), reason);
    }
    assert.equal(await service.client.health(), 'serving');
    assert.equal((await service.client.classify('good')).label, 'GOOD');
    const { limits } = (await service.client.getModel('few-positions')).versions[0] ?? {};
    assert.equal(limits?.maxTokens, 16);
    assert.ok((await service.client.classify(LONG, { model: 'few-positions' })).truncated);
  });
});

describe('what a folder leaves unsaid', () => {
  it('is found in the graph: labels, positions, and int8 that loses labels beside others', async () => {
    const service = await Service.start(['unnamed-labels', 'unnamed-dynamic', 'pad-3', 'external', 'flips'], {
      VERDICT_MODEL_CACHE_SIZE: '0',
    });
    try {
      const of = async (name: string) => (await service.client.getModel(name)).versions[0];
      assert.deepEqual((await of('unnamed-labels'))?.labels, ['LABEL_0', 'LABEL_1']);
      assert.deepEqual((await of('unnamed-dynamic'))?.labels, ['LABEL_0', 'LABEL_1', 'LABEL_2', 'LABEL_3']);
      assert.equal((await of('pad-3'))?.limits.maxTokens, 30);
      assert.deepEqual([(await service.client.classify(LONG, { model: 'pad-3' })).tokenCount], [30]);
      assert.equal((await service.client.classify('good', { model: 'external' })).label, 'GOOD');
      const flips = await of('flips');
      assert.deepEqual([flips?.precision, flips?.batching], ['fp32', 'padded']);
      const refusal = service.server.log.find(({ msg }) => msg === 'a precision was refused');
      assert.match(String(refusal?.reason), /changes its answers with the other inputs/);
    } finally {
      await service.stop();
    }
  });

  it('serves int8 by itself where it is asked for by name', async () => {
    const service = await Service.start(['flips'], { VERDICT_PRECISION: 'int8' });
    try {
      const [version] = (await service.client.getModel('flips')).versions;
      assert.deepEqual([version?.precision, version?.batching], ['int8', 'one_at_a_time']);
      const blast = 'blast '.repeat(60);
      const [good] = await service.client.classifyBatch(['a good film', blast]);
      assert.equal(good?.ok && good.classification.label, 'GOOD');
    } finally {
      await service.stop();
    }
  });
});

describe('a model of which nothing can be read', () => {
  it('leaves the others alone, though its tokenizer fails after its weights have', async (t) => {
    const models = temporaryFolder(t);
    const broken = join(models, 'broken', '1');
    await cp('test/fixtures/odd-models/plain/1', join(models, 'plain', '1'), { recursive: true });
    await cp('test/fixtures/odd-models/plain/1', broken, { recursive: true });
    const { pad_token_id: _, ...config } = JSON.parse(await readFile(join(broken, 'config.json'), 'utf8'));
    await writeFile(join(broken, 'config.json'), JSON.stringify(config));
    await writeFile(join(broken, 'tokenizer.json'), '{"model": 7}');
    await writeFile(join(broken, 'onnx/model.onnx'), 'no graph');
    const service = await Service.start(['plain'], { VERDICT_MODELS_DIR: models });
    try {
      assert.equal((await service.client.classify('good')).label, 'GOOD');
      assert.equal((await service.client.getModel('broken')).versions[0]?.state, 'failed');
    } finally {
      await service.stop();
    }
  });
});

describe('a model without special tokens', () => {
  it('has no answer to a text without tokens, and says so; its neighbours are answered', async (t) => {
    const models = temporaryFolder(t);
    const folder = join(models, 'bare', '1');
    await cp('test/fixtures/odd-models/plain/1', folder, { recursive: true });
    await rm(join(folder, 'golden.json'), { force: true });
    const json = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'));
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, post_processor: null }));
    const service = await Service.start(['plain'], {
      VERDICT_MODELS_DIR: models,
      VERDICT_DEFAULT_MODEL: 'bare',
    });
    try {
      // The tokenizer removes what is no character of its own.
      const results = await service.client.classifyBatch(['good', '\u0301', 'bad']);
      assert.deepEqual(
        results.map((result) => (result.ok ? result.classification.label : outcomeOf(result.error))),
        ['GOOD', 'INVALID_ARGUMENT INVALID_FIELD', 'BAD'],
      );
      await assert.rejects(service.client.classify({ text: '\u0301', textPair: '\u0301' }), {
        code: 'INVALID_ARGUMENT',
        message: /pair: the model's tokenizer finds no token in it/,
      });
      assert.equal((await service.client.classify('good')).tokenCount, 1);
    } finally {
      await service.stop();
    }
  });
});

describe('a model that asks for positions', () => {
  it('gets 0, 1, 2, ... in every row, alone and beside others', async () => {
    const service = await Service.start(['positions']);
    try {
      const [version] = (await service.client.getModel('positions')).versions;
      assert.equal(version?.batching, 'padded');
      // "[CLS] good film [SEP]": the mean of the words' numbers and of the positions', which is 1.5 / 16.
      const mean = (of: number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
      const logits = [mean([0, -3, 0.2, 0]) - 1.5 / 16, mean([0, 3, 0.1, 0]) + 1.5 / 16];
      const options = { ...every, activation: 'none' } as const;
      const alone = scoresOf((await service.client.classify('good film', options)).predictions);
      assert.ok(Math.abs((alone.BAD ?? 0) - (logits[0] ?? 0)) < 1e-5, JSON.stringify(alone));
      assert.ok(Math.abs((alone.GOOD ?? 0) - (logits[1] ?? 0)) < 1e-5);
      const [beside] = await service.client.classifyBatch(['good film', LONG], options);
      assertClose([alone], [scored(beside ?? assert.fail())], 'positions');
    } finally {
      await service.stop();
    }
  });
});

describe('VERDICT_MAX_TOKENS', () => {
  it('lowers what every model reads, and known answers of longer texts do not count', async () => {
    const service = await Service.start(['topics', 'few-positions'], { VERDICT_MAX_TOKENS: '10' });
    try {
      for (const model of ['topics', 'few-positions']) {
        assert.equal((await service.client.getModel(model)).versions[0]?.limits.maxTokens, 10);
        const { tokenCount, truncated } = await service.client.classify(LONG, { model });
        assert.deepEqual([tokenCount, truncated], [10, true]);
      }
    } finally {
      await service.stop();
    }
  });
});
