import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ModelLoadError } from '../../../src/models/model-load-error.js';
import { ModelRegistry } from '../../../src/models/model-registry.js';
import { ModelReloader } from '../../../src/models/model-reloader.js';
import type { ModelLocation, ModelRepository } from '../../../src/models/repository.js';
import { undivided } from '../../../src/models/traffic.js';
import type { ModelReload, WarmUp } from '../../../src/models/types.js';
import { SessionLostError } from '../../../src/runtime/errors.js';
import { FakeVersion } from './fake-version.js';

const STOP = new AbortController().signal;
const at = (path: string): ModelLocation => {
  const [name = '', version = ''] = path.split('/');
  return { name, version, directory: path };
};

describe('a reload of models', () => {
  /** What the folder holds: versions, and what their folders look like. */
  let disk: Map<string, string>;
  /** Whether all versions of a model are wanted. */
  let servesAll: boolean;
  let broken: string[];
  /** Models that nobody has asked for. */
  let unloaded: Set<string>;
  let unreadable: boolean;
  let looks: number;
  /** How often routing was refreshed. */
  let refreshes: number;
  /** Loads that are under way, which tests end. */
  let loads: { path: string; end: (failure?: Error) => void }[];
  let registry: ModelRegistry<FakeVersion>;
  let reloader: ModelReloader<FakeVersion>;
  let told: string[];
  /** What is done with a version before it takes over. */
  let warm: ((version: FakeVersion, former: FakeVersion, signal: AbortSignal) => Promise<WarmUp>) | undefined;
  /** Reloads that were said to be over. */
  let ended: number;

  beforeEach(() => {
    disk = new Map([
      ['mood/1', 'a'],
      ['tone/1', 'a'],
    ]);
    warm = undefined;
    unloaded = new Set();
    [servesAll, broken, unreadable, looks, refreshes] = [false, [], false, 0, 0];
    [loads, told, ended] = [[], [], 0];
    registry = new ModelRegistry('tone');
    for (const path of disk.keys()) registry.deploy(new FakeVersion(at(path).name, '1', 'a'));
    reloader = new ModelReloader({
      registry,
      mayLoad: (model) => !unloaded.has(model),
      oneAtATime: (task) => task(),
      defaultModel: 'tone',
      endLimitMs: 60_000,
      refresh: async () => {
        assert.equal(looks, refreshes++, 'before the folder is looked at');
      },
      find: async (): Promise<ModelRepository> => {
        looks++;
        if (unreadable) throw new ModelLoadError('/models', 'cannot be read as a folder');
        return {
          locations: servesAll
            ? [...disk.keys()].map(at).sort((a, b) => Number(b.version) - Number(a.version))
            : // The highest version of each model, as they were put there.
              [...new Map([...disk.keys()].map((path) => [at(path).name, at(path)])).values()],
          broken: broken.map((name) => ({ name, error: new ModelLoadError(name, 'holds no version') })),
          ignored: [],
        };
      },
      identify: async (directory) => disk.get(directory) ?? '',
      load: (location, _former, signal) =>
        new Promise((resolve, reject) => {
          const { name, version, directory } = location;
          signal.addEventListener('abort', () => reject(new Error('killed')));
          loads.push({
            path: directory,
            end: (failure) =>
              failure === undefined
                ? resolve(new FakeVersion(name, version, disk.get(directory)))
                : reject(failure),
          });
        }),
      warm: async (...words) => warm?.(...words),
      onServing: ({ name, version }) => told.push(`serving ${name}/${version}`),
      onEnded: () => ended++,
      describe: (error) => (error instanceof Error ? error.message : String(error)),
      hooks: {
        onModelReloaded: (reload) => told.push(short(reload)),
        onReloaded: (reloads) => told.push(`${reloads.length} reloaded`),
        onFolderUnreadable: (reason) => told.push(reason),
        onEndFailed: ({ name, version }, error) => told.push(`${name}/${version} ${String(error)}`),
      },
    });
  });

  const short = ({ model, outcome, version, reason, retired }: ModelReload) =>
    [model, outcome, version, reason, ...retired.map((number) => `-${number}`)]
      .filter((words) => words !== '')
      .join(' ');
  const turn = () => new Promise(setImmediate);
  /** Ends the only load under way. */
  const endLoad = async (path: string, failure?: Error) => {
    await turn();
    const [load, ...others] = loads.splice(0);
    assert.deepEqual([load?.path, others], [path, []]);
    load?.end(failure);
    await turn();
  };
  const ending = async (reloading: Promise<readonly ModelReload[]>) => (await reloading).map(short);
  const versions = (model: string) =>
    registry.get(model).versions.map(({ version, state }) => `${version} ${state}`);

  it('leaves alone what has not changed', async () => {
    assert.deepEqual(await ending(reloader.reload()), ['mood unchanged 1', 'tone unchanged 1']);
    assert.deepEqual(told, ['mood unchanged 1', 'tone unchanged 1', '2 reloaded']);
  });

  for (const [what, path, identity] of [
    ['a higher version', 'tone/2', 'a'],
    ['the same version with other files', 'tone/1', 'b'],
  ] as const) {
    it(`loads ${what} beside the former one, which answers until then and ends after that`, async () => {
      const former = registry.current('tone');
      if (path !== 'tone/1') disk.delete('tone/1');
      disk.set(path, identity);
      let isOver = false;
      const reloading = reloader.reload(['tone']).finally(() => {
        isOver = true;
      });
      await turn();
      assert.equal(registry.current('tone'), former);
      await endLoad(path);
      assert.notEqual(registry.current('tone'), former);
      assert.equal(former?.state, 'draining');
      assert.deepEqual([former?.isClosing, former?.isCutOff, isOver], [true, false, false]);
      former?.end();
      const { version } = at(path);
      assert.deepEqual(await ending(reloading), [path === 'tone/1' ? 'tone loaded 1' : 'tone loaded 2 -1']);
      assert.deepEqual(versions('tone'), [`${version} serving`]);
      assert.equal(told[0], `serving tone/${version}`);
    });
  }

  it('has a version asked what callers have asked lately before it takes over, beside the former one', async () => {
    const former = registry.current('tone');
    const states: unknown[] = [];
    warm = async (version, before) => {
      states.push([version.version, before === former, registry.current('tone') === former]);
      return { texts: 3, failed: 0, compared: 2, flipped: 1 };
    };
    disk.set('tone/2', 'b');
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/2');
    former?.end();
    assert.deepEqual(
      (await reloading).map(({ warmUp }) => warmUp),
      [{ texts: 3, failed: 0, compared: 2, flipped: 1 }],
    );
    assert.deepEqual(states, [['2', true, true]]);
  });

  it('ends a version that was being asked when the server stops, and the former one stays', async () => {
    let asked: FakeVersion | undefined;
    warm = (version, _former, signal) => {
      asked = version;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    disk.set('tone/2', 'b');
    const reloading = reloader.reload(['tone']);
    reloading.catch(() => {});
    await endLoad('tone/2');
    asked?.end();
    reloader.stop();
    await assert.rejects(reloading, { reason: 'DRAINING' });
    assert.equal(asked?.isClosing, true);
    assert.deepEqual(versions('tone'), ['1 serving']);
  });

  it('loads a lower version where the higher one was taken away', async () => {
    disk.set('tone/2', 'b');
    registry.current('tone')?.end();
    const up = reloader.reload(['tone']);
    await endLoad('tone/2');
    await up;
    disk.delete('tone/2');
    registry.current('tone')?.end();
    const down = reloader.reload(['tone']);
    await endLoad('tone/1');
    assert.deepEqual(await ending(down), ['tone loaded 1 -2']);
  });

  it('keeps what serves where the new version fails, and says why until that one is gone', async () => {
    const former = registry.current('tone');
    for (const version of ['2', '3']) {
      disk.set(`tone/${version}`, 'b');
      disk.delete(`tone/${Number(version) - 1}`);
      const reloading = reloader.reload(['tone']);
      await endLoad(`tone/${version}`, new Error('golden answers differ'));
      assert.deepEqual(await ending(reloading), ['tone failed 1 golden answers differ']);
      assert.deepEqual(versions('tone'), [`${version} failed`, '1 serving']);
    }
    assert.deepEqual([registry.current('tone'), former?.isClosing], [former, false]);
    disk.delete('tone/3');
    disk.set('tone/1', 'a');
    assert.deepEqual(await ending(reloader.reload(['tone'])), ['tone unchanged 1']);
    assert.deepEqual(versions('tone'), ['1 serving']);
  });

  it('loads a version beside others that stay, the highest first; the others end only with all of it done', async () => {
    servesAll = true;
    const former = registry.current('tone');
    disk = new Map([
      ['tone/2', 'a'],
      ['tone/3', 'a'],
    ]);
    former?.end();
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/3');
    assert.deepEqual([versions('tone'), former?.isClosing], [['3 serving', '2 loading', '1 serving'], false]);
    await endLoad('tone/2');
    assert.deepEqual(await ending(reloading), ['tone loaded 3 -1']);
    assert.deepEqual([versions('tone'), former?.isClosing], [['3 serving', '2 serving'], true]);
    disk.delete('tone/3');
    registry.find('tone', '3')?.end();
    assert.deepEqual(await ending(reloader.reload(['tone'])), ['tone retired 2 -3']);
    assert.deepEqual(versions('tone'), ['2 serving']);
  });

  it('tells all versions that have ended, and of each that has not ended well which it was', async () => {
    servesAll = true;
    for (const version of ['3', '2']) registry.deploy(new FakeVersion('tone', version, 'a'));
    const [first, second, third] = ['1', '2', '3'].map((version) => registry.find('tone', version));
    const reloading = reloader.reload(['tone']);
    second?.end(Promise.reject(new Error('stuck')));
    third?.end();
    assert.deepEqual(await ending(reloading), ['tone retired 1 -3 -2']);
    assert.deepEqual(told, ['tone/2 Error: stuck', 'tone retired 1 -3 -2', '1 reloaded']);
    assert.deepEqual([first?.isClosing, versions('tone')], [false, ['1 serving']]);
  });

  it('ends no version of a model of which another fails', async () => {
    servesAll = true;
    disk = new Map([
      ['tone/2', 'a'],
      ['tone/3', 'a'],
    ]);
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/3', new Error('golden answers differ'));
    await endLoad('tone/2');
    assert.deepEqual(await ending(reloading), ['tone failed 2 golden answers differ']);
    assert.deepEqual(versions('tone'), ['3 failed', '2 serving', '1 serving']);
  });

  it('ends no version that requests were routed to while another was being loaded', async () => {
    disk.delete('tone/1');
    disk.set('tone/2', 'b');
    const reloading = reloader.reload(['tone']);
    await turn();
    registry.route(new Map([['tone', { traffic: undefined, aliases: new Map([['champion', '1']]) }]]));
    await endLoad('tone/2');
    assert.deepEqual(await ending(reloading), ['tone loaded 2']);
    assert.deepEqual(versions('tone'), ['2 serving', '1 serving']);
    const [byAlias, byNone] = ['champion', ''].map((version) =>
      registry.requested.resolve({ model: '', version, input: { text: 'a' } }),
    );
    assert.deepEqual([byAlias?.version, byNone?.version], ['1', '2']);
  });

  it('ends a version that is named and gone from the folder', async () => {
    registry.route(new Map([['tone', { traffic: undefined, aliases: new Map([['champion', '1']]) }]]));
    disk.delete('tone/1');
    disk.set('tone/2', 'b');
    registry.find('tone', '1')?.end();
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/2');
    assert.deepEqual(await ending(reloading), ['tone loaded 2 -1']);
    assert.deepEqual(versions('tone'), ['2 serving']);
  });

  it('takes nothing from where the requests are routed to', async () => {
    servesAll = true;
    registry.route(new Map([['tone', { traffic: undivided('1'), aliases: new Map() }]]));
    disk.set('tone/2', 'b');
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/2');
    assert.deepEqual(await ending(reloading), ['tone loaded 1']);
    assert.equal(registry.requested.resolve({ model: '', version: '', input: { text: 'a' } }).version, '1');
    disk.set('tone/1', 'b');
    const former = registry.find('tone', '1');
    former?.end();
    const changing = reloader.reload(['tone']);
    await endLoad('tone/1');
    assert.deepEqual(await ending(changing), ['tone loaded 1']);
    assert.equal(former?.isClosing, true);
    assert.notEqual(registry.current('tone'), former);
  });

  it('tries a version once more whose session was lost meanwhile', async () => {
    disk.set('tone/2', 'b');
    registry.current('tone')?.end();
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/2', new SessionLostError('killed by SIGKILL'));
    await endLoad('tone/2');
    assert.deepEqual(await ending(reloading), ['tone loaded 2 -1']);
  });

  it('serves a new model, and removes one whose folder is gone, but not the default one', async () => {
    disk = new Map([['gist/1', 'a']]);
    registry.current('mood')?.end();
    const reloading = reloader.reload();
    await endLoad('gist/1');
    assert.deepEqual(await ending(reloading), [
      'gist loaded 1',
      'mood removed -1',
      'tone failed 1 its folder is gone; the default model stays all the same',
    ]);
    assert.deepEqual(registry.names, ['gist', 'tone']);
    assert.deepEqual(versions('tone'), ['1 serving']);
    disk.set('tone/1', 'a');
    await reloader.reload(['tone']);
    assert.deepEqual(registry.readiness().reasons, []);
  });

  it('leaves a model unloaded that nobody asks for, with the versions that the folder holds by now', async () => {
    const version = registry.current('mood');
    version?.end();
    await registry.unload('mood', STOP);
    unloaded.add('mood');
    disk.set('mood/2', 'a');
    servesAll = true;
    assert.deepEqual(await ending(reloader.reload(['mood'])), ['mood unchanged']);
    assert.deepEqual([versions('mood'), loads], [['2 unloaded', '1 unloaded'], []]);
    assert.equal(registry.requested.formerOf({ model: 'mood', version: '1' })?.version, '1');
    disk.delete('mood/2');
    disk.set('mood/1', 'b');
    assert.deepEqual(await ending(reloader.reload(['mood'])), ['mood unchanged']);
    assert.deepEqual(versions('mood'), ['1 unloaded']);
    assert.equal(
      registry.requested.formerOf({ model: 'mood', version: '1' }),
      undefined,
      'its files have changed',
    );
    disk.delete('mood/1');
    assert.deepEqual(await ending(reloader.reload(['mood'])), ['mood removed']);
  });

  it('keeps a model whose folder holds no version', async () => {
    disk.delete('mood/1');
    broken = ['mood'];
    assert.deepEqual(await ending(reloader.reload(['mood'])), ['mood failed 1 mood: holds no version']);
    assert.equal(
      registry.requested.resolve({ model: 'mood', version: '', input: { text: 'a' } }).version,
      '1',
    );
  });

  it('forgets a model that could never be loaded once it is gone', async () => {
    registry.addFailed({ name: 'gist', version: '1', reason: 'broken' });
    assert.deepEqual(await ending(reloader.reload(['gist'])), ['gist removed']);
    assert.deepEqual(registry.names, ['mood', 'tone']);
  });

  it('changes nothing where the folder cannot be read', async () => {
    unreadable = true;
    await assert.rejects(reloader.reload(), { code: 'unavailable', reason: 'MODELS_UNREADABLE' });
    assert.deepEqual(told, ['/models: cannot be read as a folder']);
    assert.equal(ended, 1);
    assert.deepEqual(registry.names, ['mood', 'tone']);
  });

  it('knows no model that is neither in the folder nor served, but reloads the others', async () => {
    const reloading = reloader.reload(['nobody', 'mood']);
    await assert.rejects(reloading, { code: 'not_found', reason: 'MODEL_NOT_FOUND' });
    assert.deepEqual(told, ['mood unchanged 1', '1 reloaded']);
  });

  it('is shared by all who ask for one while another is under way, and begins after that', async () => {
    disk.set('tone/2', 'b');
    const former = registry.current('tone');
    former?.end();
    const first = reloader.reload(['tone']);
    await turn();
    assert.equal(looks, 1);
    const storm = Array.from({ length: 100 }, () => reloader.reload());
    const named = reloader.reload(['mood']);
    await turn();
    assert.equal(looks, 1);
    await endLoad('tone/2');
    assert.deepEqual(await ending(first), ['tone loaded 2 -1']);
    for (const reloading of storm)
      assert.deepEqual(await ending(reloading), ['mood unchanged 1', 'tone unchanged 2']);
    assert.deepEqual(await ending(named), ['mood unchanged 1']);
    assert.deepEqual([looks, refreshes, ended], [2, 2, 2]);
  });

  it('is waited for no longer by a caller that leaves, and goes on', async () => {
    disk.set('tone/2', 'b');
    registry.current('tone')?.end();
    const [first, second] = [new AbortController(), new AbortController()];
    const underWay = reloader.reload(['tone'], first.signal);
    await turn();
    const waiting = reloader.reload(['mood'], second.signal);
    for (const caller of [first, second]) caller.abort(new Error('left'));
    for (const reloading of [underWay, waiting]) await assert.rejects(reloading, /left/);
    await endLoad('tone/2');
    await reloader.ended(STOP);
    assert.deepEqual(told, [
      ...['serving tone/2', 'tone loaded 2 -1', '1 reloaded'],
      ...['mood unchanged 1', '1 reloaded'],
    ]);
  });

  it('is one of all models where more names are asked for than it keeps', async () => {
    const names = Array.from({ length: 1_001 }, (_, index) => `m${index}`);
    const asked = [reloader.reload(names.slice(0, 1_000)), reloader.reload(names.slice(1_000))];
    for (const reloading of asked) await assert.rejects(reloading, { reason: 'MODEL_NOT_FOUND' });
    assert.deepEqual(told, ['mood unchanged 1', 'tone unchanged 1', '2 reloaded']);
  });

  it('tells of a former version that does not end well, and is done all the same', async () => {
    disk.set('tone/2', 'b');
    const former = registry.current('tone');
    const reloading = reloader.reload(['tone']);
    await endLoad('tone/2');
    former?.end(Promise.reject(new Error('stuck')));
    assert.deepEqual(await ending(reloading), ['tone loaded 2 -1']);
    assert.ok(told.includes('tone/1 Error: stuck'));
  });

  it('is given up by a stop: nothing takes over any more, and nothing begins', async () => {
    disk.set('mood/2', 'b');
    const reloading = reloader.reload();
    const waiting = [reloader.reload(), reloader.reload()];
    await turn();
    const refused = [reloading, ...waiting].map((one) =>
      assert.rejects(one, { code: 'unavailable', reason: 'DRAINING' }),
    );
    reloader.stop();
    await Promise.all(refused);
    await assert.rejects(reloader.reload(), { reason: 'DRAINING' });
    await reloader.ended(STOP);
    assert.deepEqual(versions('mood'), ['1 serving']);
    assert.equal(looks, 1);
  });

  it('is not waited for at its stop once there is no more time', async () => {
    const former = registry.current('mood');
    disk.set('mood/2', 'b');
    const reloading = reloader.reload(['mood']);
    await endLoad('mood/2');
    reloader.stop();
    await reloader.ended(AbortSignal.abort());
    former?.end();
    assert.deepEqual(await ending(reloading), ['mood loaded 2 -1']);
  });
});
