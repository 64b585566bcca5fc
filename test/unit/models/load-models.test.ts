import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type LoadModelsParts, loadModels } from '../../../src/models/load-models.js';
import type { ModelLocation } from '../../../src/models/repository.js';
import { SessionLostError, SessionRunError } from '../../../src/runtime/errors.js';

const locations: readonly ModelLocation[] = ['broken', 'sound'].map((name) => ({
  name,
  version: '1',
  directory: name,
}));

/** Loads both; `required` names those without which nothing is served. */
function load(
  one: LoadModelsParts['load'],
  required: readonly string[],
  signal = new AbortController().signal,
) {
  const failed: string[] = [];
  const loading = loadModels(
    locations,
    {
      load: one,
      isRequired: (name) => required.includes(name),
      onFailed: ({ name }, error) =>
        failed.push(`${name}: ${error instanceof Error ? error.message : error}`),
    },
    signal,
  );
  return { loading, failed };
}

describe('loadModels', () => {
  it('a model that fails leaves the others alone, and is told', async () => {
    const loaded: string[] = [];
    const { loading, failed } = load(
      async ({ name }) => {
        if (name === 'broken') throw new Error('no weights');
        await new Promise(setImmediate);
        loaded.push(name);
      },
      ['sound'],
    );
    await loading;
    assert.deepEqual([loaded, failed], [['sound'], ['broken: no weights']]);
  });

  it('a required model that fails ends the loading of the others, and its own error names it', async () => {
    const ended: string[] = [];
    const one = async ({ name }: ModelLocation, signal: AbortSignal) => {
      if (name === 'broken')
        throw new SessionRunError('refused', { cause: new Error('index 7 is out of bounds') });
      await once(signal, 'abort');
      ended.push(name);
      throw signal.reason;
    };
    const { loading, failed } = load(one, ['broken']);
    await assert.rejects(loading, {
      message: 'model broken, version 1: refused: index 7 is out of bounds',
    });
    assert.deepEqual([ended, failed], [['sound'], []]);
  });

  it('a required model needs one version: the others may fail, whichever comes first', async () => {
    const versions = ['1', '2'].map((version) => ({ name: 'tone', version, directory: version }));
    for (const failing of [['1'], ['2'], ['1', '2']]) {
      const told: string[] = [];
      const loading = loadModels(
        versions,
        {
          load: async ({ version }) => {
            if (version === '1') await new Promise(setImmediate);
            if (failing.includes(version)) throw new Error(`no weights of ${version}`);
          },
          isRequired: () => true,
          onFailed: ({ version }) => told.push(version),
        },
        new AbortController().signal,
      );
      if (failing.length === 1) await loading;
      else await assert.rejects(loading, { message: 'model tone, version 1: no weights of 1' });
      assert.deepEqual(told, failing.length === 1 ? failing : ['2']);
    }
  });

  it('tries once more where a session was lost, which says little about the model', async () => {
    const tries: Record<string, number> = {};
    const { loading, failed } = load(async ({ name }) => {
      tries[name] = (tries[name] ?? 0) + 1;
      if (name === 'broken' || tries[name] === 1) throw new SessionLostError('killed');
    }, []);
    await loading;
    assert.deepEqual([tries, failed], [{ broken: 2, sound: 2 }, ['broken: killed']]);
  });

  it('a stop ends the loading of all', async () => {
    const stop = new AbortController();
    const one = async (_: ModelLocation, signal: AbortSignal) => {
      await once(signal, 'abort');
      throw signal.reason;
    };
    const { loading, failed } = load(one, ['sound'], stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(loading, { message: 'stopped' });
    assert.deepEqual(failed, []);
  });
});
