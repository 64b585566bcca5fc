import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { DeployableVersion } from '../../../src/models/deployment.js';
import { ModelRegistry } from '../../../src/models/model-registry.js';
import type { ModelState, ModelVersionView } from '../../../src/models/types.js';

const STOP = new AbortController().signal;

/** A version whose sessions come and go by hand, and whose end is let come. */
class FakeVersion implements DeployableVersion {
  state: ModelState = 'serving';
  isClosing = false;
  end: (how?: Promise<void>) => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  constructor(
    readonly name: string,
    readonly version: string,
  ) {}

  get view(): ModelVersionView {
    return {
      ...{ version: this.version, state: this.state, stateReason: '', labels: ['NO', 'YES'] },
      ...{ problemType: 'single_label_classification', maxTokens: 8, batchBudgetTokens: 256 },
      ...{ precision: 'fp32', device: 'cpu', digest: `sha256:${this.version}`, batching: 'padded' },
      ...{ appliedActivation: undefined, defaultTruncation: 'end', readyInstances: 1, instances: 1 },
      ...{ cost: { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 }, costSamples: [] },
    };
  }

  drain(): void {
    this.state = 'draining';
  }

  close(): Promise<void> {
    this.isClosing = true;
    return this.#ended;
  }
}

describe('the models that exist', () => {
  let retired: string[];
  let registry: ModelRegistry<FakeVersion>;
  let changes: number;

  beforeEach(() => {
    retired = [];
    registry = new ModelRegistry('tone', ({ name, version }) => retired.push(`${name}/${version}`));
    changes = 0;
    registry.onChange(() => changes++);
  });

  const deploy = (version: string, name = 'tone') => {
    const deployed = new FakeVersion(name, version);
    registry.deploy(deployed);
    return deployed;
  };
  const resolve = (text: string, version = '', model = '') =>
    registry.resolve({ model, version, input: { text } }).version;
  /** How many of a thousand texts each version is asked. */
  const shares = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (let text = 0; text < 1_000; text++) {
      const version = resolve(`text ${text}`);
      counts[version] = (counts[version] ?? 0) + 1;
    }
    return counts;
  };

  it('a version that is deployed takes over what names none; the former one answers what names it', () => {
    deploy('1');
    deploy('2');
    assert.deepEqual([resolve('a'), resolve('a', '1'), resolve('a', '2')], ['2', '1', '2']);
    const { versions, servingVersion } = registry.get('tone');
    assert.deepEqual([servingVersion, versions.map(({ version }) => version)], ['2', ['2', '1']]);
    assert.equal(changes, 2);
    assert.throws(() => deploy('2'), /tone\/2 is deployed already/);
  });

  it('versions are ordered as numbers', () => {
    for (const version of ['9', '10', '8']) deploy(version);
    assert.deepEqual(
      registry.get('tone').versions.map(({ version }) => version),
      ['10', '9', '8'],
    );
  });

  it('a split divides texts by weight, each text always alike, a pair by both of its texts', () => {
    for (const version of ['1', '2', '3']) deploy(version);
    registry.route('tone', { 1: 3, 2: 1 });
    const counts = shares();
    assert.deepEqual(Object.keys(counts).sort(), ['1', '2']);
    assert.ok((counts['1'] ?? 0) > 690 && (counts['1'] ?? 0) < 810, JSON.stringify(counts));
    for (const text of ['a', 'b', 'c', 'd', 'e']) assert.equal(resolve(text), resolve(text));
    const pairs = new Set(
      Array.from('abcdefghijklmnop', (textPair) =>
        registry.resolve({ model: 'tone', version: '', input: { text: 'a', textPair } }),
      ),
    );
    assert.equal(pairs.size, 2);
    assert.equal(registry.get('tone').servingVersion, '1');
  });

  it('a version of a split that cannot serve leaves its share to the others, while there are any', () => {
    const [first, second] = ['1', '2'].map((version) => deploy(version));
    registry.route('tone', { 1: 1, 2: 1 });
    assert.ok(first && second);
    first.state = 'failed';
    assert.deepEqual(shares(), { 2: 1_000 });
    assert.deepEqual(registry.readiness(), { ready: false, reasons: ['tone/1 is failed'] });
    second.state = 'failed';
    assert.equal(Object.keys(shares()).length, 2, 'inputs wait for a replacement of either');
    assert.equal(registry.get('tone').servingVersion, '');
  });

  it('a version that is retired is asked no more, ends what it holds, and is gone', async () => {
    const first = deploy('1');
    deploy('2');
    const retiring = registry.retire('tone', '1', STOP);
    assert.ok(first.isClosing);
    assert.throws(() => resolve('a', '1'), { code: 'not_found', reason: 'VERSION_NOT_FOUND' });
    assert.deepEqual(
      registry.get('tone').versions.map(({ version, state }) => [version, state]),
      [
        ['2', 'serving'],
        ['1', 'draining'],
      ],
    );
    assert.throws(() => registry.deploy(new FakeVersion('tone', '1')), /is deployed already/);
    assert.equal(registry.readiness().ready, true);
    assert.deepEqual(retired, []);
    first.end();
    await retiring;
    assert.deepEqual(retired, ['tone/1']);
    assert.deepEqual(
      registry.get('tone').versions.map(({ version }) => version),
      ['2'],
    );
    deploy('1');
    assert.equal(resolve('a'), '1');
  });

  it('the only version that requests are routed to is not retired beside others', async () => {
    deploy('1');
    const second = deploy('2');
    await assert.rejects(registry.retire('tone', '2', STOP), /route them elsewhere first/);
    assert.equal(resolve('a'), '2');
    registry.route('tone', { 1: 1 });
    second.end();
    await registry.retire('tone', '2', STOP);
    assert.equal(resolve('a'), '1');
  });

  it('a model whose last version was retired is none, and says so from the beginning', async () => {
    const only = deploy('1');
    const retiring = registry.retire('tone', '1', STOP);
    assert.throws(() => resolve('a'), { code: 'unavailable', reason: 'DRAINING' });
    only.end();
    await retiring;
    assert.throws(() => resolve('a'), { reason: 'MODEL_NOT_FOUND' });
    await assert.rejects(registry.retire('tone', '1', STOP), /tone is not deployed/);
    assert.deepEqual(registry.list(), []);
  });

  it('a version that does not end well is gone all the same', async () => {
    const first = deploy('1');
    deploy('2');
    const retiring = registry.retire('tone', '1', STOP);
    first.end(Promise.reject(new Error('stuck')));
    await assert.rejects(retiring, /stuck/);
    assert.deepEqual(retired, ['tone/1']);
    assert.equal(registry.get('tone').versions.length, 1);
  });

  it('weights that make no sense change nothing', () => {
    deploy('1');
    deploy('2');
    for (const [weights, words] of [
      [{ 3: 1 }, /tone\/3 is not deployed/],
      [{ 1: -1, 2: 2 }, /the weight of tone\/1 must be a number of at least 0/],
      [{ 1: Number.NaN }, /must be a number/],
      [{ 1: 0 }, /no version of tone has a weight/],
      [{}, /no version of tone has a weight/],
    ] as const) {
      assert.throws(() => registry.route('tone', weights), words);
      assert.deepEqual(shares(), { 2: 1_000 });
    }
    assert.throws(() => registry.route('mood', { 1: 1 }), /mood is not deployed/);
  });

  it('a version that could not be loaded leaves the others of its model, and is told', () => {
    deploy('1');
    registry.addFailed({ name: 'tone', version: '2', reason: 'golden answers differ' });
    registry.addFailed({ name: 'mood', version: '', reason: 'holds no version' });
    assert.equal(resolve('a'), '1');
    assert.throws(() => resolve('a', '2'), {
      code: 'unavailable',
      reason: 'MODEL_NOT_LOADED',
      message: 'the version tone/2 could not be loaded',
    });
    assert.throws(() => resolve('a', '', 'mood'), { code: 'unavailable', reason: 'MODEL_NOT_LOADED' });
    assert.throws(() => resolve('a', '3'), { code: 'not_found', reason: 'VERSION_NOT_FOUND' });
    assert.deepEqual(registry.readiness(), {
      ready: true,
      reasons: [
        'tone/2 could not be loaded: golden answers differ',
        'mood could not be loaded: holds no version',
      ],
    });
    assert.deepEqual(
      registry.list().map(({ name, loaded, versions }) => [name, loaded, versions.map(({ state }) => state)]),
      [
        ['mood', false, []],
        ['tone', true, ['failed', 'serving']],
      ],
    );
  });

  it('a version that is being loaded is told, and asked once it is there', () => {
    registry.addLoading('tone', '1');
    registry.addLoading('mood', '1');
    assert.deepEqual(registry.readiness(), {
      ready: false,
      reasons: ['tone/1 is being loaded', 'mood/1 is being loaded'],
    });
    assert.throws(() => resolve('a'), {
      code: 'unavailable',
      reason: 'MODEL_NOT_LOADED',
      message: 'the model tone is being loaded',
    });
    assert.throws(() => resolve('a', '2'), { code: 'unavailable' });
    const { loaded, servingVersion, versions } = registry.get('tone');
    assert.deepEqual([loaded, servingVersion, versions[0]?.state], [false, '', 'loading']);
    deploy('1');
    assert.equal(resolve('a'), '1');
    assert.deepEqual(registry.readiness(), { ready: true, reasons: ['mood/1 is being loaded'] });
    registry.addFailed({ name: 'mood', version: '1', reason: 'no memory' });
    assert.deepEqual(registry.readiness().reasons, ['mood/1 could not be loaded: no memory']);
    registry.addLoading('tone', '2');
    assert.deepEqual(
      registry.get('tone').versions.map(({ state }) => state),
      ['loading', 'serving'],
    );
    assert.equal(resolve('a'), '1', 'while a successor is loaded');
  });

  it('all of them end together', async () => {
    const versions = [deploy('1'), deploy('2'), deploy('1', 'mood')];
    registry.drain();
    assert.deepEqual(
      versions.map(({ state }) => state),
      ['draining', 'draining', 'draining'],
    );
    assert.equal(resolve('a'), '2', 'what comes while balancers turn away is answered');
    for (const version of versions) version.end();
    await registry.close(STOP);
    assert.ok(versions.every(({ isClosing }) => isClosing));
  });

  it('lists what is loaded, of one model or of all, and of none that is not', async () => {
    const first = deploy('1');
    const second = deploy('2');
    const other = deploy('1', 'mood');
    registry.addLoading('mood', '2');
    registry.addFailed({ name: 'broken', version: '1', reason: 'no weights' });
    assert.deepEqual(registry.loaded('tone'), [second, first]);
    assert.deepEqual(registry.loaded('mood'), [other]);
    assert.deepEqual(registry.loaded(''), [second, first, other]);
    assert.throws(() => registry.loaded('broken'), { code: 'unavailable', reason: 'MODEL_NOT_LOADED' });
    assert.throws(() => registry.loaded('nosuch'), { code: 'not_found', reason: 'MODEL_NOT_FOUND' });
    // What a version that is being retired still computes may be kept.
    const retiring = registry.retire('tone', '1', STOP);
    assert.deepEqual(registry.loaded('tone'), [second, first]);
    first.end();
    await retiring;
    assert.deepEqual(registry.loaded('tone'), [second]);
  });
});
