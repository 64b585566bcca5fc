import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Flight } from '../../../src/cache/types.js';
import { Serial } from '../../../src/concurrency/serial.js';
import { AbsentVersion } from '../../../src/models/absent-version.js';
import type { LoadClaim } from '../../../src/models/load-waiters.js';
import { ModelRegistry } from '../../../src/models/model-registry.js';
import { ModelsOnDemand, type ModelsOnDemandParts } from '../../../src/models/models-on-demand.js';
import { VirtualClock } from '../../../src/simulation/virtual-clock.js';
import { FakeVersion } from './fake-version.js';

const STAY = new AbortController().signal;

describe('models on demand', () => {
  let clock: VirtualClock;
  let registry: ModelRegistry<FakeVersion>;
  let onDemand: ModelsOnDemand<FakeVersion>;
  /** What was loaded, unloaded and refused, in order. */
  let told: string[];
  /** How long each load takes; an error is what it ends with. */
  let loads: Map<string, number | Error>;
  /** Resident bytes by model, once it is loaded. */
  let bytes: Map<string, number>;
  let versions: Map<string, FakeVersion>;

  const model = (name: string) =>
    registry
      .get(name)
      .versions.map(({ state }) => state)
      .join();
  const loaded = () =>
    registry
      .loadedModels()
      .map(({ name }) => name)
      .join('');

  function open(more: Partial<ModelsOnDemandParts<FakeVersion>> = {}): void {
    const pinned = more.pinned ?? new Set(['a']);
    registry = new ModelRegistry(
      'a',
      () => {},
      (name) => pinned.has(name),
    );
    onDemand = new ModelsOnDemand({
      registry,
      pinned,
      bounds: { models: 3, memoryBytes: 0 },
      waiterBounds: { waiters: 4, bytes: 1_000 },
      endLimitMs: 1_000,
      oneAtATime: new Serial().run,
      describe: (error) => String(error),
      onChanged: () => {},
      clock,
      load: async (name) => {
        const how = loads.get(name) ?? 1_000;
        registry.addLoading(name, '1');
        await new Promise<void>((resolve) => clock.startTimer(resolve, how instanceof Error ? 100 : how));
        if (how instanceof Error) {
          registry.addFailed({ name, version: '1', reason: how.message });
          throw how;
        }
        deploy(name);
      },
      hooks: {
        onLoaded: (name, tookMs) => told.push(`+${name} ${tookMs}`),
        onLoadFailed: (name, reason) => told.push(`!${name} ${reason}`),
        onUnloaded: (name, cause) => told.push(`-${name} ${cause}`),
        onRefused: (cause) => told.push(`refused ${cause}`),
      },
      ...more,
    });
    for (const name of ['a', 'b', 'c', 'd', 'e']) registry.addUnloaded(name, '1');
    deploy('a');
    onDemand.onLoaded('a');
  }

  function deploy(name: string): void {
    const version = new FakeVersion(name, '1');
    version.measuredBytes = bytes.get(name) ?? 0;
    version.end();
    versions.set(name, version);
    registry.deploy(version);
  }

  const claim = (more: Partial<LoadClaim> = {}): LoadClaim => ({
    ...{ signal: STAY, deadlineAt: Number.POSITIVE_INFINITY, serviceClass: 'interactive' },
    ...more,
  });
  const flight = ({ deadlineAt, serviceClass }: LoadClaim = claim()): Flight => ({
    ...{ abandoned: false, deadlineAt, serviceClass, flow: undefined, whenFull: 'refuse' },
    ...{ onAbandon: () => {}, onUrgent: () => {} },
  });
  /** Asks for a model what the cache does not hold, and keeps what came of it. */
  function ask(name: string, more: Partial<LoadClaim> = {}, text = 'a text') {
    const request = { model: name, version: '', input: { text } };
    const asked = { outcome: '', error: undefined as unknown, retryAfterMs: 0 };
    const answer = async () => {
      const found = await onDemand.resolve(request, claim(more));
      if (found instanceof AbsentVersion) await found.compute(request.input, 'end', flight(claim(more)));
      return `${found.name}/${found.version}`;
    };
    void answer().then(
      (outcome) => {
        asked.outcome = outcome;
      },
      (error: { reason?: string; message: string; retryAfterMs?: number }) => {
        asked.outcome = error.reason ?? error.message;
        asked.error = error;
        asked.retryAfterMs = error.retryAfterMs ?? 0;
      },
    );
    return asked;
  }
  /** Has a model loaded. */
  async function bring(...names: string[]): Promise<void> {
    for (const name of names) {
      const loading = onDemand.load(name, STAY);
      await clock.advance(30_000);
      await loading;
    }
    told.splice(0);
  }

  beforeEach(() => {
    clock = new VirtualClock();
    [told, loads, bytes, versions] = [[], new Map(), new Map(), new Map()];
    open();
  });

  it('resolve without a promise what is loaded', () => {
    assert.equal(
      onDemand.resolve({ model: '', version: '', input: { text: 't' } }, claim()),
      versions.get('a'),
    );
    assert.throws(() => onDemand.resolve({ model: 'x', version: '', input: { text: 't' } }, claim()), {
      reason: 'MODEL_NOT_FOUND',
    });
    assert.throws(() => onDemand.resolve({ model: 'b', version: '2', input: { text: 't' } }, claim()), {
      reason: 'VERSION_NOT_FOUND',
    });
    assert.equal(onDemand.waiting, 0);
  });

  it('are loaded once for all who ask, one after the other in the order in which they were asked for', async () => {
    const asked = [ask('b'), ask('c'), ask('b'), ask('d')];
    await clock.settle();
    assert.deepEqual([onDemand.waiting, model('b'), model('c')], [4, 'loading', 'unloaded']);
    await clock.advance(1_000);
    assert.deepEqual(
      asked.map(({ outcome }) => outcome),
      ['b/1', '', 'b/1', ''],
    );
    await clock.advance(10_000);
    assert.deepEqual(
      asked.map(({ outcome }) => outcome),
      ['b/1', 'c/1', 'b/1', 'd/1'],
    );
    assert.deepEqual(told, ['+b 1000', '+c 1000', '-b place', '+d 1000']);
    assert.deepEqual([loaded(), onDemand.waiting], ['acd', 0]);
  });

  it('make room by use, and never by unloading a pinned one', async () => {
    await bring('b', 'c');
    assert.equal(ask('b').outcome, '');
    await clock.settle();
    const asked = ask('d');
    await clock.advance(5_000);
    assert.deepEqual([asked.outcome, told, loaded()], ['d/1', ['-c place', '+d 1000'], 'abd']);
    await assert.rejects(onDemand.unload('a', STAY), { code: 'invalid_argument' });
  });

  it('wait until a busy one has had its time, and no longer', async () => {
    await bring('b', 'c');
    for (const name of ['b', 'c']) {
      const version = versions.get(name);
      assert.ok(version !== undefined);
      version.isBusy = true;
    }
    const asked = ask('d');
    await clock.advance(2_000);
    assert.deepEqual([asked.outcome, told], ['d/1', ['-b place', '+d 1000']]);
    const [c, d] = [versions.get('c'), versions.get('d')];
    assert.ok(c !== undefined && d !== undefined);
    d.isBusy = true;
    // It stays idle for less than it may stay busy, and goes first for both reasons.
    c.isBusy = false;
    const again = ask('b');
    await clock.advance(5_000);
    assert.deepEqual([again.outcome, told[2]], ['b/1', '-c place']);
  });

  it('are refused at once where the deadline is nearer than the load, which goes on', async () => {
    await bring('b');
    const late = ask('c', { deadlineAt: clock.now() + 500 });
    await clock.settle();
    assert.deepEqual([late.outcome, late.retryAfterMs], ['MODEL_LOADING', 1_000]);
    assert.match(String(late.error), /longer than the deadline allows/);
    await clock.advance(late.retryAfterMs);
    assert.equal(ask('c').outcome, '');
    await clock.settle();
    assert.deepEqual([told, loaded()], [['refused deadline', '+c 1000'], 'abc']);
    // So does the time until a place is free.
    open({ bounds: { models: 2, memoryBytes: 0 } });
    ask('b');
    await clock.advance(1_000);
    const behind = ask('d', { deadlineAt: clock.now() + 500 });
    await clock.settle();
    assert.equal(behind.outcome, 'MODEL_PLACES_TAKEN');
    assert.match(String(behind.error), /all 2 places are taken by models in use/);
    assert.equal(behind.retryAfterMs, 2_000);
  });

  it('are not loaded for those who have left before their turn came', async () => {
    const leaving = new AbortController();
    const [b, c] = [ask('b'), ask('c', { signal: leaving.signal })];
    await clock.settle();
    leaving.abort(new Error('gone'));
    await clock.advance(10_000);
    assert.deepEqual([b.outcome, c.outcome, told], ['b/1', 'gone', ['+b 1000']]);
    assert.equal(model('c'), 'unloaded');
  });

  it('go on being loaded when all who waited have left', async () => {
    const leaving = new AbortController();
    ask('b', { signal: leaving.signal });
    await clock.advance(500);
    leaving.abort(new Error('gone'));
    await clock.advance(500);
    assert.deepEqual([told, onDemand.waiting], [['+b 1000'], 0]);
  });

  it('keep a bounded number waiting, and their bytes', async () => {
    const asked = Array.from({ length: 5 }, () => ask('b'));
    const large = ask('c', {}, 'x'.repeat(501));
    await clock.settle();
    assert.deepEqual(
      asked.map(({ outcome }) => outcome),
      ['', '', '', '', 'MODEL_LOADING'],
    );
    assert.ok((asked[4]?.retryAfterMs ?? 0) > 0);
    assert.equal(large.outcome, 'MODEL_LOADING');
    assert.deepEqual(told, ['refused waiting', 'refused waiting']);
  });

  it('that fail are told why, and not tried again before their time', async () => {
    loads.set('b', new Error('no weights'));
    const asked = ask('b');
    await clock.advance(1_000);
    assert.equal(asked.outcome, 'MODEL_NOT_LOADED');
    assert.match(String(asked.error), /the model b could not be loaded: Error: no weights/);
    const again = ask('b');
    await clock.settle();
    assert.deepEqual([again.outcome, told], ['MODEL_NOT_LOADED', ['!b Error: no weights']]);
    assert.ok(again.retryAfterMs > 3_000 && again.retryAfterMs <= 10_000);
    await clock.advance(10_000);
    loads.delete('b');
    const mended = ask('b');
    await clock.advance(1_000);
    assert.equal(mended.outcome, 'b/1');
    // A reload makes up its own mind.
    loads.set('c', new Error('no weights'));
    ask('c');
    await clock.advance(1_000);
    registry.addUnloaded('c', '1');
    loads.delete('c');
    const reloaded = ask('c');
    await clock.advance(1_000);
    assert.equal(reloaded.outcome, 'c/1');
  });

  it('are unloaded until their sessions take no more memory than they may', async () => {
    for (const [name, size] of [
      ['a', 100],
      ['b', 100],
      ['c', 100],
      ['d', 250],
      ['e', 301],
    ] as const)
      bytes.set(name, size);
    open({ bounds: { models: 0, memoryBytes: 400 } });
    await bring('b', 'c');
    const asked = ask('d');
    await clock.advance(20_000);
    assert.deepEqual([asked.outcome, loaded()], ['d/1', 'ad']);
    assert.deepEqual(told, ['-b memory', '-c memory', '+d 1000']);
    // It cannot be known before it is loaded once, and then it is.
    told.splice(0);
    const large = ask('e');
    await clock.advance(20_000);
    assert.deepEqual([large.outcome, loaded()], ['MODEL_PLACES_TAKEN', 'a']);
    await bring('b');
    const again = ask('e');
    await clock.advance(20_000);
    assert.deepEqual([again.outcome, loaded()], ['MODEL_PLACES_TAKEN', 'ab']);
    assert.deepEqual(told, [], 'nothing is loaded or unloaded for it in vain');
    const b = versions.get('b');
    assert.ok(b !== undefined);
    b.measuredBytes = 350;
    await onDemand.keepWithinMemory();
    assert.equal(loaded(), 'a', 'sessions grow while they run');
  });

  it('have no room where pinned ones take it all', async () => {
    open({ pinned: new Set(['a', 'x', 'y']) });
    const asked = ask('b');
    await clock.settle();
    assert.equal(asked.outcome, 'MODEL_PLACES_TAKEN');
    assert.match(String(asked.error), /pinned leave no room/);
    assert.deepEqual([...onDemand.firstOf(['a', 'b', 'x'])], ['a', 'x']);
  });

  it('are loaded at the start by name, as many as have a place, and only pinned ones under a limit of memory', () => {
    assert.deepEqual([...onDemand.firstOf(['d', 'c', 'c', 'b', 'a'])].sort(), ['a', 'b', 'c']);
    open({ bounds: { models: 0, memoryBytes: 0 } });
    assert.equal(onDemand.firstOf(['d', 'c', 'b', 'a']).size, 4);
    open({ bounds: { models: 3, memoryBytes: 1 } });
    assert.deepEqual([...onDemand.firstOf(['d', 'c', 'b', 'a'])], ['a']);
  });

  it('may be reloaded if they are loaded, or new and there is a place that nobody waits for', async () => {
    await bring('b');
    assert.deepEqual(
      ['a', 'b', 'c', 'new'].map((name) => onDemand.mayReload(name)),
      [true, true, false, true],
    );
    ask('c');
    await clock.settle();
    assert.equal(onDemand.mayReload('new'), false);
    await clock.advance(5_000);
    assert.equal(onDemand.mayReload('new'), false, 'there is no place left');
  });

  it('answer from the cache without a load what they have answered before, and compute once they are back', async () => {
    await bring('b');
    const former = versions.get('b');
    await onDemand.unload('b', STAY);
    assert.deepEqual([told, model('b')], [['-b request'], 'unloaded']);
    const absent = onDemand.resolve({ model: 'b', version: '', input: { text: 't' } }, claim());
    assert.ok(absent instanceof AbsentVersion);
    assert.equal(
      absent.cacheKey({ text: 't' }, 'end', ''),
      former?.former.cacheKey({ text: 't' }, 'end', ''),
    );
    assert.deepEqual([onDemand.waiting, absent.labels], [0, ['NO', 'YES']]);
    const computing = absent.compute({ text: 't' }, 'end', flight());
    await clock.advance(1_000);
    assert.equal((await computing).entry.tokenCount, 3);
    assert.deepEqual(told, ['-b request', '+b 1000']);
  });

  it('that were replaced while they were away leave it to whoever took their place', async () => {
    await bring('b');
    await onDemand.unload('b', STAY);
    const absent = onDemand.resolve({ model: 'b', version: '', input: { text: 't' } }, claim());
    assert.ok(absent instanceof AbsentVersion);
    registry.forgetUnloaded('b');
    const successor = new FakeVersion('b', '2');
    registry.deploy(successor);
    await assert.rejects(absent.compute({ text: 't' }, 'end', flight()), { reason: 'DRAINING' });
  });

  it('are gone for those who wait once their folder is', async () => {
    const [b, c] = [ask('b'), ask('c')];
    await clock.settle();
    registry.forgetUnloaded('c');
    await clock.advance(5_000);
    assert.deepEqual([b.outcome, c.outcome], ['b/1', 'MODEL_NOT_FOUND']);
  });

  it('are refused once the server stops, and those who wait are told at once', async () => {
    const waiting = [ask('b'), ask('c')];
    await clock.advance(500);
    onDemand.stop();
    await clock.settle();
    assert.deepEqual(
      waiting.map(({ outcome }) => outcome),
      ['DRAINING', 'DRAINING'],
    );
    const late = ask('d');
    await clock.advance(500);
    assert.deepEqual([late.outcome, onDemand.waiting], ['DRAINING', 0]);
    await onDemand.ended(STAY);
    await registry.unload('a', STAY);
    assert.throws(() => onDemand.resolve({ model: 'a', version: '', input: { text: 't' } }, claim()), {
      reason: 'DRAINING',
    });
    await assert.rejects(onDemand.load('d', STAY), { reason: 'DRAINING' });
    await assert.rejects(onDemand.unload('a', STAY), { reason: 'DRAINING' });
  });
});
