import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { loadModels } from '../../../src/models/load-models.js';
import type { ModelLocation } from '../../../src/models/repository.js';

const locations: readonly ModelLocation[] = ['broken', 'sound'].map((name) => ({
  name,
  version: '1',
  directory: name,
}));

describe('loadModels', () => {
  it('a model that fails ends the loading of the others, and its own error is told', async () => {
    const ended: string[] = [];
    const load = async ({ name }: ModelLocation, signal: AbortSignal) => {
      if (name === 'broken') throw new Error('no weights');
      await once(signal, 'abort');
      ended.push(name);
      throw signal.reason;
    };
    await assert.rejects(loadModels(locations, load, new AbortController().signal), /no weights/);
    assert.deepEqual(ended, ['sound']);
  });

  it('a stop ends the loading of all', async () => {
    const stop = new AbortController();
    const load = async (_: ModelLocation, signal: AbortSignal) => {
      await once(signal, 'abort');
      throw signal.reason;
    };
    const loading = loadModels(locations, load, stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(loading, /stopped/);
  });

  it('resolves when all are loaded', async () => {
    const loaded: string[] = [];
    const load = ({ name }: ModelLocation) => Promise.resolve(void loaded.push(name));
    await loadModels(locations, load, new AbortController().signal);
    assert.deepEqual(loaded, ['broken', 'sound']);
  });
});
