import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheEntry, Flight, ResultCache } from '../../../src/cache/types.js';
import { ClassifierPipeline, type ClassifyingModel } from '../../../src/classify/classifier-pipeline.js';
import type { ClassifyOptions, InputClaim, InputRequest } from '../../../src/classify/types.js';
import { VerdictError } from '../../../src/errors.js';
import type { ProblemType } from '../../../src/models/types.js';

const entry: CacheEntry = { logits: Float32Array.of(0, 2), tokenCount: 5, truncated: true };
const timings = { tokenizeMs: 1, queueMs: 2, inferenceMs: 3, batchSize: 4 };
const defaults: ClassifyOptions = {
  topK: 1,
  minScore: undefined,
  activation: undefined,
  truncation: undefined,
  cache: 'use',
};
const item: InputRequest = { model: 'm', version: '', input: { text: 'a text' }, options: defaults };
const caller: InputClaim = {
  signal: new AbortController().signal,
  deadlineAt: Number.POSITIVE_INFINITY,
  whenFull: 'refuse',
  serviceClass: 'interactive',
  flow: undefined,
  keyspace: '',
};

function model(problemType: ProblemType = 'single_label_classification') {
  const asked: string[] = [];
  const subject: ClassifyingModel = {
    name: 'm',
    version: '7',
    digest: 'sha256:7',
    labels: ['no', 'yes'],
    problemType,
    appliedActivation: undefined,
    defaultTruncation: 'start',
    entryShape: { labelCount: 2, maxTokens: 512 },
    cacheKey: ({ text }, truncation, keyspace) => `${keyspace}${text}|${truncation}`,
    compute: async (_input, truncation) => {
      asked.push(truncation);
      return { entry, timings };
    },
  };
  return { subject, asked };
}

/** Remembers the keys, and always computes. */
function computingCache() {
  const keys: string[] = [];
  const flight: Flight = {
    abandoned: false,
    onAbandon: () => {},
    deadlineAt: Number.POSITIVE_INFINITY,
    serviceClass: 'interactive',
    flow: undefined,
    whenFull: 'refuse',
    onUrgent: () => {},
  };
  const cache: Pick<ResultCache, 'resolve'> = {
    resolve: async (key, _shape, mode, _waiter, compute) => {
      keys.push(`${mode}:${key}`);
      return { ...(await compute(flight)), outcome: 'miss' };
    },
  };
  return { cache, keys };
}

describe('ClassifierPipeline', () => {
  it('asks the successor of a version that is stopped while the input is on its way to it', async () => {
    const stopped = () =>
      new VerdictError('unavailable', 'this model is being stopped', { reason: 'DRAINING' });
    const former: ClassifyingModel = {
      ...model().subject,
      version: '6',
      compute: () => Promise.reject(stopped()),
    };
    const { subject } = model();
    const answered = async (successors: readonly (ClassifyingModel | Error)[]) => {
      const versions = [former, ...successors];
      let asked = 0;
      const resolve = () => {
        const found = versions[Math.min(asked++, versions.length - 1)];
        if (found === undefined || found instanceof Error) throw found;
        return found;
      };
      const counted: string[] = [];
      const hooks = { onInput: (input: { version: string }) => void counted.push(input.version) };
      const pipeline = new ClassifierPipeline({ resolve }, computingCache().cache, hooks);
      try {
        return [(await pipeline.classify(item, caller)).version, counted];
      } catch (error) {
        assert.ok(error instanceof VerdictError);
        return [error.reason, counted];
      }
    };
    assert.deepEqual(await answered([subject]), ['7', ['7']]);
    assert.deepEqual(
      await answered([{ ...former }, subject]),
      ['7', ['7']],
      'as often as there is another one',
    );
    assert.deepEqual(await answered([former]), ['DRAINING', ['6']], 'the server itself is stopping');
    const gone = new VerdictError('not_found', 'there is no model m', { reason: 'MODEL_NOT_FOUND' });
    assert.deepEqual(await answered([gone]), ['DRAINING', ['6']], 'another server may have it');
    const applied: ClassifyingModel = { ...subject, appliedActivation: 'sigmoid' };
    const asking = { ...item, options: { ...defaults, activation: 'softmax' as const } };
    const resolved = [former, applied];
    const pipeline = new ClassifierPipeline(
      { resolve: () => resolved.shift() ?? applied },
      computingCache().cache,
    );
    await assert.rejects(async () => pipeline.classify(asking, caller), { reason: 'INVALID_FIELD' });
  });

  it('waits for a model that is being loaded, and tells of an input that got none', async () => {
    const { subject } = model();
    const counted: string[] = [];
    const hooks = {
      onInput: (input: { model: string; outcome: string }) =>
        void counted.push(`${input.model} ${input.outcome}`),
    };
    const classify = (resolve: () => Promise<ClassifyingModel>) =>
      new ClassifierPipeline({ resolve }, computingCache().cache, hooks).classify(item, caller);
    assert.equal((await classify(async () => subject)).version, '7');
    const refused = new VerdictError('resource_exhausted', 'later', {
      reason: 'MODEL_LOADING',
      retryAfterMs: 1,
    });
    await assert.rejects(async () => classify(() => Promise.reject(refused)), { reason: 'MODEL_LOADING' });
    assert.deepEqual(counted, ['m miss', ' error']);
    const applied: ClassifyingModel = { ...subject, appliedActivation: 'sigmoid' };
    const asking = { ...item, options: { ...defaults, activation: 'softmax' as const } };
    const pipeline = new ClassifierPipeline({ resolve: async () => applied }, computingCache().cache);
    await assert.rejects(async () => pipeline.classify(asking, caller), { reason: 'INVALID_FIELD' });
  });

  it('waits for the successor of a version that was unloaded while the input was on its way to it', async () => {
    const { subject } = model();
    const draining = new VerdictError('unavailable', 'it is being stopped', { reason: 'DRAINING' });
    const former: ClassifyingModel = { ...subject, version: '6', compute: () => Promise.reject(draining) };
    const found: (ClassifyingModel | Promise<ClassifyingModel>)[] = [former, Promise.resolve(subject)];
    const pipeline = new ClassifierPipeline(
      { resolve: () => found.shift() ?? subject },
      computingCache().cache,
    );
    assert.equal((await pipeline.classify(item, caller)).version, '7');
  });

  it('asks the cache in the keyspace of its caller, and for a caller without one leaves it out', async () => {
    const { cache, keys } = computingCache();
    const pipeline = new ClassifierPipeline({ resolve: () => model().subject }, cache);
    const refresh = { ...item, options: { ...defaults, cache: 'refresh' as const } };
    await pipeline.classify(item, { ...caller, keyspace: 'key:a/' });
    await pipeline.classify(item, { ...caller, keyspace: undefined });
    await pipeline.classify(refresh, { ...caller, keyspace: 'key:a/' });
    await pipeline.classify(refresh, { ...caller, keyspace: undefined });
    assert.deepEqual(keys, ['use:key:a/a text|start', 'bypass:', 'refresh:key:a/a text|start', 'bypass:']);
  });

  it('answers with the model, its version, the facts of the entry and where the time went', async () => {
    const { subject } = model();
    const pipeline = new ClassifierPipeline({ resolve: () => subject }, computingCache().cache);
    const answer = await pipeline.classify(item, caller);
    assert.equal(answer.predictions[0]?.label, 'yes');
    assert.deepEqual(
      [answer.model, answer.version, answer.tokenCount, answer.truncated, answer.cache],
      ['m', '7', 5, true, 'miss'],
    );
    assert.equal(answer.timings.queueMs, 2);
    assert.ok(answer.timings.totalMs >= 0);
  });

  it('follows the model where the request says nothing, and the request where it does', async () => {
    const { subject, asked } = model();
    const { cache, keys } = computingCache();
    const pipeline = new ClassifierPipeline({ resolve: () => subject }, cache);
    await pipeline.classify(item, caller);
    await pipeline.classify(
      { ...item, options: { ...defaults, truncation: 'reject' } },
      { ...caller, whenFull: 'wait' },
    );
    assert.deepEqual(asked, ['start', 'reject']);
    assert.deepEqual(keys, ['use:a text|start', 'use:a text|reject']);
  });

  it('chooses the activation by problem type unless asked otherwise', async () => {
    const score = async (problemType: ProblemType, activation?: 'none') => {
      const { subject } = model(problemType);
      const pipeline = new ClassifierPipeline({ resolve: () => subject }, computingCache().cache);
      const answer = await pipeline.classify({ ...item, options: { ...defaults, activation } }, caller);
      return answer.predictions[0]?.score.toFixed(4);
    };
    assert.equal(await score('single_label_classification'), '0.8808');
    assert.equal(await score('multi_label_classification'), (1 / (1 + Math.exp(-2))).toFixed(4));
    assert.equal(await score('regression'), '2.0000');
    assert.equal(await score('single_label_classification', 'none'), '2.0000');
  });

  it('returns without a promise when the cache does', () => {
    const { subject } = model();
    const hit: Pick<ResultCache, 'resolve'> = { resolve: () => ({ entry, outcome: 'lru', timings }) };
    const answer = new ClassifierPipeline({ resolve: () => subject }, hit).classify(item, caller);
    assert.ok(!(answer instanceof Promise));
    assert.equal(answer.cache, 'lru');
  });

  it('refuses a caller whose deadline passed, before any work', () => {
    const pipeline = new ClassifierPipeline({ resolve: () => assert.fail() }, computingCache().cache);
    assert.throws(
      () => pipeline.classify(item, { ...caller, deadlineAt: performance.now() - 1 }),
      (error: unknown) => error instanceof VerdictError && error.code === 'deadline_exceeded',
    );
  });

  it('does not ask for the signal of a caller who need not wait', () => {
    const { subject } = model();
    const hit: Pick<ResultCache, 'resolve'> = { resolve: () => ({ entry, outcome: 'lru', timings }) };
    const unsignalled: InputClaim = {
      ...caller,
      get signal(): never {
        throw new Error('a call makes its signal on first use, and that costs more than the answer');
      },
    };
    const answer = new ClassifierPipeline({ resolve: () => subject }, hit).classify(item, unsignalled);
    assert.ok(!(answer instanceof Promise));
  });

  it('announces every input once, with its outcome, whether it is answered or fails', async () => {
    const seen: string[] = [];
    const { subject } = model();
    const hooks = {
      onInput: ({ model: name, outcome }: { model: string; outcome: string }) =>
        seen.push(`${name} ${outcome}`),
    };
    const working = new ClassifierPipeline({ resolve: () => subject }, computingCache().cache, hooks);
    await working.classify(item, caller);
    const failing: Pick<ResultCache, 'resolve'> = {
      resolve: async () => {
        throw new VerdictError('internal', 'no', { reason: 'INFERENCE_FAILED' });
      },
    };
    await assert.rejects(async () =>
      new ClassifierPipeline({ resolve: () => subject }, failing, hooks).classify(item, caller),
    );
    const unknown = () => {
      throw new VerdictError('not_found', 'no', { reason: 'MODEL_NOT_FOUND' });
    };
    assert.throws(() =>
      new ClassifierPipeline({ resolve: unknown }, computingCache().cache, hooks).classify(item, caller),
    );
    assert.deepEqual(seen, ['m miss', 'm error', ' error']);
  });
});
