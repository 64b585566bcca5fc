import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { loadWanted } from '../../../src/models/load-wanted.js';
import { ModelLoadError } from '../../../src/models/model-load-error.js';
import { ModelRegistry } from '../../../src/models/model-registry.js';
import type { ModelLocation } from '../../../src/models/repository.js';
import { FakeVersion } from './fake-version.js';

describe('the load of a model that was asked for', () => {
  let registry: ModelRegistry<FakeVersion>;
  /** Versions in the folder, highest first. */
  let disk: string[];
  let broken: string[];
  let failing: Set<string>;
  let loaded: FakeVersion[];
  let told: string[];

  beforeEach(() => {
    registry = new ModelRegistry('mood');
    [disk, broken, failing, loaded, told] = [['2', '1'], [], new Set(), [], []];
  });

  const load = (signal = new AbortController().signal, whileLoading: () => void = () => {}) =>
    loadWanted(
      {
        registry,
        find: async () => ({
          locations: disk.map((version): ModelLocation => ({ name: 'mood', version, directory: version })),
          broken: broken.map((name) => ({ name, error: new ModelLoadError(name, 'holds no version') })),
          ignored: [],
        }),
        load: async ({ name, version }, giveUp) => {
          whileLoading();
          giveUp.throwIfAborted();
          if (failing.has(version)) throw new Error(`${version} is broken`);
          const one = new FakeVersion(name, version);
          one.end();
          loaded.push(one);
          return one;
        },
        onServing: ({ version }) => told.push(`${version} serves`),
        onFailed: ({ name, version }, error) => {
          told.push(`${version} failed`);
          registry.addFailed({ name, version, reason: String(error) });
        },
      },
      'mood',
      signal,
    );
  const states = () => registry.get('mood').versions.map(({ version, state }) => `${version} ${state}`);

  it('brings all its wanted versions into service in one turn', async () => {
    registry.addUnloaded('mood', '3');
    await load(undefined, () => assert.equal(registry.isLoaded('mood'), false));
    assert.deepEqual(
      [states(), told],
      [
        ['2 serving', '1 serving'],
        ['2 serves', '1 serves'],
      ],
    );
  });

  it('goes on without a version that fails, and fails with the highest one if all do', async () => {
    failing.add('2');
    await load();
    assert.deepEqual(
      [states(), told],
      [
        ['2 failed', '1 serving'],
        ['2 failed', '1 serves'],
      ],
    );
    registry = new ModelRegistry('mood');
    failing.add('1');
    await assert.rejects(load(), /2 is broken/);
    assert.deepEqual(states(), ['2 failed', '1 failed']);
  });

  it('fails where the folder holds no version, or is gone', async () => {
    disk = [];
    broken = ['mood'];
    await assert.rejects(load(), /holds no version/);
    broken = [];
    await assert.rejects(load(), /is not in the models folder any more/);
    assert.deepEqual(told, [' failed', ' failed']);
    assert.ok(registry.hasFailed('mood'));
  });

  it('leaves nothing loaded where it is given up', async () => {
    const giveUp = new AbortController();
    let begun = 0;
    const loading = load(giveUp.signal, () => {
      if (++begun === 2) giveUp.abort(new Error('stopping'));
    });
    await assert.rejects(loading, /stopping/);
    assert.deepEqual(
      [loaded.map(({ isClosing }) => isClosing), states()],
      [[true], ['2 unloaded', '1 unloaded']],
    );
  });
});
