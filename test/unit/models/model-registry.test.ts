import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ModelRegistry } from '../../../src/models/model-registry.js';
import type { Routings } from '../../../src/models/routing.js';
import { redivided, undivided } from '../../../src/models/traffic.js';
import { FakeVersion } from './fake-version.js';

const STOP = new AbortController().signal;
const NONE = () => false;

/** Where requests for tone go: shares in percent, and aliases. */
function routed(
  shares: Readonly<Record<string, number>> | undefined,
  aliases: Readonly<Record<string, string>> = {},
): Routings {
  const traffic =
    shares === undefined ? undefined : redivided(undivided('1'), new Map(Object.entries(shares)));
  return new Map([['tone', { traffic, aliases: new Map(Object.entries(aliases)) }]]);
}

describe('the models that exist', () => {
  let gone: string[];
  let registry: ModelRegistry<FakeVersion>;
  let changes: number;

  beforeEach(() => {
    gone = [];
    registry = new ModelRegistry('tone', ({ name, version }) => gone.push(`${name}/${version}`));
    changes = 0;
    registry.onChange(() => changes++);
  });

  const deploy = (version: string, name = 'tone') => {
    const deployed = new FakeVersion(name, version);
    registry.deploy(deployed);
    return deployed;
  };
  const resolve = (text: string, version = '', model = '') =>
    registry.requested.resolve({ model, version, input: { text } }).version;
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
    registry.route(routed({ 1: 75, 2: 25 }));
    const counts = shares();
    assert.deepEqual(Object.keys(counts).sort(), ['1', '2']);
    assert.ok((counts['1'] ?? 0) > 690 && (counts['1'] ?? 0) < 810, JSON.stringify(counts));
    for (const text of ['a', 'b', 'c', 'd', 'e']) assert.equal(resolve(text), resolve(text));
    const pairs = new Set(
      Array.from('abcdefghijklmnop', (textPair) =>
        registry.requested.resolve({ model: 'tone', version: '', input: { text: 'a', textPair } }),
      ),
    );
    assert.equal(pairs.size, 2);
    assert.equal(registry.get('tone').servingVersion, '1');
  });

  it('a key keeps its texts together, and goes its own way in each model', () => {
    for (const version of ['1', '2']) for (const name of ['tone', 'mood']) deploy(version, name);
    const both = routed({ 1: 50, 2: 50 }).get('tone');
    assert.ok(both);
    registry.route(
      new Map([
        ['tone', both],
        ['mood', both],
      ]),
    );
    const versionOf = (routingKey: string, text: string, model = '') =>
      registry.requested.resolve({ model, version: '', input: { text }, routingKey }).version;
    const keys = Array.from({ length: 100 }, (_, at) => `user-${at}`);
    const texts = Array.from({ length: 10 }, (_, at) => `text ${at}`);
    for (const key of keys) assert.equal(new Set(texts.map((text) => versionOf(key, text))).size, 1);
    assert.equal(new Set(keys.map((key) => versionOf(key, 'a'))).size, 2);
    const agreeing = keys.filter((key) => versionOf(key, 'a') === versionOf(key, 'a', 'mood')).length;
    assert.ok(agreeing > 25 && agreeing < 75, `${agreeing}`);
  });

  it('a version of a split that is away leaves its share to the others by theirs, and moves nobody else', () => {
    const [first] = ['1', '2', '3'].map((version) => deploy(version));
    registry.route(routed({ 1: 50, 2: 40, 3: 10 }));
    const versions = () => Array.from({ length: 10_000 }, (_, at) => resolve(`text ${at}`));
    const before = versions();
    assert.ok(first);
    first.state = 'failed';
    const after = versions();
    const taken = { 2: 0, 3: 0 };
    for (const [at, version] of before.entries()) {
      if (version === '1') taken[after[at] as '2' | '3']++;
      else assert.equal(after[at], version);
    }
    const share = taken[2] / (taken[2] + taken[3]);
    assert.ok(share > 0.77 && share < 0.83, `${share}`);
  });

  it('a version of a split that cannot serve leaves its share to the others, while there are any', () => {
    const [first, second] = ['1', '2'].map((version) => deploy(version));
    registry.route(routed({ 1: 50, 2: 50 }));
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
    const retiring = registry.retire('tone', (version) => version !== '1', STOP);
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
    assert.deepEqual(gone, []);
    first.end();
    await retiring;
    assert.deepEqual(gone, ['tone/1']);
    assert.deepEqual(
      registry.get('tone').versions.map(({ version }) => version),
      ['2'],
    );
    deploy('1');
    assert.deepEqual([resolve('a', '1'), resolve('a')], ['1', '2']);
  });

  it('where the version is retired that requests are routed to, they go to the highest of the others', async () => {
    for (const version of ['1', '2']) deploy(version);
    const third = deploy('3');
    registry.route(routed({ 3: 100 }));
    third.end();
    await registry.retire('tone', (version) => version !== '3', STOP);
    assert.deepEqual(shares(), { 2: 1_000 });
    assert.deepEqual(registry.routingTroubles(), ['tone/3 is not there, and the state file names it']);
    deploy('3');
    assert.deepEqual([shares(), registry.routingTroubles()], [{ 3: 1_000 }, []]);
  });

  it('a model whose last version was retired is none, and says so from the beginning', async () => {
    const only = deploy('1');
    const retiring = registry.retire('tone', (version) => version !== '1', STOP);
    assert.throws(() => resolve('a'), { code: 'unavailable', reason: 'DRAINING' });
    only.end();
    await retiring;
    assert.throws(() => resolve('a'), { reason: 'MODEL_NOT_FOUND' });
    await registry.retire('tone', NONE, STOP);
    assert.deepEqual(registry.list(), []);
  });

  it('a version that does not end well is gone all the same', async () => {
    const first = deploy('1');
    deploy('2');
    const retiring = registry.retire('tone', (version) => version !== '1', STOP);
    first.end(Promise.reject(new Error('stuck')));
    assert.deepEqual(await retiring, [{ version: '1', error: new Error('stuck') }]);
    assert.deepEqual(gone, ['tone/1']);
    assert.equal(registry.get('tone').versions.length, 1);
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

  it('a version takes the place of all others in one step; they answer what they hold, and end', async () => {
    const [first, second] = ['1', '2'].map((version) => deploy(version));
    registry.addFailed({ name: 'tone', version: '4', reason: 'broken' });
    const third = new FakeVersion('tone', '3');
    const replacing = registry.replace(third, NONE, STOP);
    registry.forgetUnloaded('tone');
    assert.ok(first?.isClosing && second?.isClosing && !third.isClosing);
    assert.deepEqual([resolve('a'), registry.current('tone')], ['3', third]);
    assert.throws(() => resolve('a', '1'), { reason: 'VERSION_NOT_FOUND' });
    assert.deepEqual(
      registry.get('tone').versions.map(({ version, state }) => [version, state]),
      [
        ['3', 'serving'],
        ['2', 'draining'],
        ['1', 'draining'],
      ],
    );
    assert.deepEqual(registry.readiness(), { ready: true, reasons: [] });
    first.end();
    second.end();
    await replacing;
    assert.deepEqual(gone.toSorted(), ['tone/1', 'tone/2', 'tone/4']);
    assert.equal(registry.get('tone').versions.length, 1);
  });

  it('a number stands for what answers under it now, while its former content ends', async () => {
    const former = deploy('1');
    const replacing = registry.replace(new FakeVersion('tone', '1'), NONE, STOP);
    assert.equal(resolve('a', '1'), '1');
    assert.deepEqual(
      registry.get('tone').versions.map(({ state }) => state),
      ['serving'],
    );
    former.end();
    await replacing;
    assert.deepEqual(gone, [], 'the version is still there');
    assert.equal(resolve('a', '1'), '1');
  });

  it('a version whose changed files cannot be loaded serves, and says so', () => {
    deploy('1');
    registry.addLoading('tone', '1');
    assert.deepEqual(
      registry.get('tone').versions.map(({ state, stateReason }) => [state, stateReason]),
      [['serving', '']],
    );
    registry.addFailed({ name: 'tone', version: '1', reason: 'golden answers differ' });
    assert.equal(resolve('a', '1'), '1');
    assert.deepEqual(
      registry.get('tone').versions.map(({ state, stateReason }) => [state, stateReason]),
      [['serving', 'its files have changed and could not be loaded: golden answers differ']],
    );
    assert.deepEqual(registry.readiness(), {
      ready: true,
      reasons: ['tone/1 could not be loaded: golden answers differ'],
    });
    registry.forgetUnloaded('tone');
    assert.deepEqual(gone, [], 'the version is still there');
    assert.deepEqual(registry.readiness().reasons, []);
  });

  it('a model that is taken out of service answers what it holds, and is none', async () => {
    const [first, second] = ['1', '2'].map((version) => deploy(version));
    registry.addFailed({ name: 'tone', version: '3', reason: 'broken' });
    const removing = registry.remove('tone', STOP);
    assert.throws(() => resolve('a'), { code: 'unavailable', reason: 'DRAINING' });
    first?.end();
    second?.end();
    await removing;
    assert.throws(() => resolve('a'), { reason: 'MODEL_NOT_FOUND' });
    assert.deepEqual(gone.toSorted(), ['tone/1', 'tone/2', 'tone/3']);
    registry.addFailed({ name: 'mood', version: '', reason: 'holds no version' });
    await registry.remove('mood', STOP);
    await registry.remove('nobody', STOP);
    assert.deepEqual(registry.names, []);
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

  it('an unloaded model is told as it was, counts for nothing in readiness, and is back with a load', async () => {
    const version = deploy('1', 'mood');
    deploy('1');
    assert.deepEqual(
      registry.loadedModels().map(({ name }) => name),
      ['mood', 'tone'],
    );
    const unloading = registry.unload('mood', STOP);
    assert.ok(version.isClosing);
    const told = () => registry.get('mood').versions.map(({ state, digest }) => `${state} ${digest}`);
    assert.deepEqual(told(), ['draining sha256:1'], 'it answers what it holds');
    assert.equal(
      registry.requested.ifLoaded({ model: 'mood', version: '1', input: { text: 'a' } }),
      undefined,
    );
    assert.throws(() => registry.requested.ifLoaded({ model: 'mood', version: '2', input: { text: 'a' } }), {
      reason: 'VERSION_NOT_FOUND',
    });
    assert.throws(() => resolve('a', '', 'mood'), {
      code: 'unavailable',
      message: 'the model mood is not loaded',
    });
    assert.deepEqual(registry.readiness(), { ready: true, reasons: [] });
    assert.equal(registry.get('mood').loaded, false);
    version.end();
    await unloading;
    assert.deepEqual(told(), ['unloaded sha256:1']);
    assert.deepEqual(
      registry.requested.answering('mood').map(({ digest }) => digest),
      ['sha256:1'],
    );
    // Its routing can be set, as if it were loaded.
    registry.requested.require('mood', '1');
    assert.equal(registry.currentVersion('mood'), '1');
    assert.throws(() => registry.requested.require('mood', '2'), { code: 'unavailable' });
    registry.addLoading('mood', '1', 'its files are read');
    const [loading] = registry.get('mood').versions;
    assert.deepEqual([loading?.state, loading?.stateReason], ['loading', 'its files are read']);
    assert.deepEqual(loading?.labels, ['NO', 'YES']);
    deploy('1', 'mood');
    assert.equal(resolve('a', '', 'mood'), '1');
  });

  it('what is kept of an unloaded version is gone once its folder looks different', async () => {
    const version = new FakeVersion('mood', '1', 'as it was');
    registry.deploy(version);
    version.end();
    await registry.unload('mood', STOP);
    const former = () => registry.requested.formerOf({ model: 'mood', version: '' });
    registry.addUnloaded('mood', '1', 'as it was');
    assert.equal(former()?.digest, 'sha256:1');
    registry.addUnloaded('mood', '2', 'another');
    assert.equal(former(), undefined, 'which of the two is meant is not clear');
    assert.equal(registry.requested.formerOf({ model: 'mood', version: '1' })?.version, '1');
    registry.addUnloaded('mood', '1', 'another');
    assert.equal(registry.requested.formerOf({ model: 'mood', version: '1' }), undefined);
  });

  it('lists what is loaded, of one model or of all, and of none that is not', async () => {
    const first = deploy('1');
    const second = deploy('2');
    const other = deploy('1', 'mood');
    registry.addLoading('mood', '2');
    registry.addFailed({ name: 'broken', version: '1', reason: 'no weights' });
    assert.deepEqual(registry.requested.answering('tone'), [second, first]);
    assert.deepEqual(registry.requested.answering('mood'), [other]);
    assert.deepEqual(registry.requested.answering(''), [second, first, other]);
    assert.throws(() => registry.requested.answering('broken'), {
      code: 'unavailable',
      reason: 'MODEL_NOT_LOADED',
    });
    assert.throws(() => registry.requested.answering('nosuch'), {
      code: 'not_found',
      reason: 'MODEL_NOT_FOUND',
    });
    // What a version that is being retired still computes may be kept.
    const retiring = registry.retire('tone', (version) => version !== '1', STOP);
    assert.deepEqual(registry.requested.answering('tone'), [second, first]);
    first.end();
    await retiring;
    assert.deepEqual(registry.requested.answering('tone'), [second]);
  });
});
