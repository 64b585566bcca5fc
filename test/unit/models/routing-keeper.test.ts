import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ModelRegistry } from '../../../src/models/model-registry.js';
import { RoutingKeeper } from '../../../src/models/routing-keeper.js';
import { StateFile } from '../../../src/models/state-file.js';
import { FakeVersion } from './fake-version.js';

const shares = (given: Readonly<Record<string, number>>) => new Map(Object.entries(given));

describe('changes of where requests go', () => {
  let path: string;
  let told: string[];
  let registry: ModelRegistry<FakeVersion>;
  let keeper: RoutingKeeper<FakeVersion>;

  beforeEach(async () => {
    path = join(mkdtempSync(join(tmpdir(), 'verdict-routing-')), 'state.json');
    told = [];
    ({ registry, keeper } = await server());
  });

  afterEach(() => rmSync(join(path, '..'), { recursive: true }));

  /** A server over the file, with three versions of one model. */
  async function server() {
    const registry = new ModelRegistry<FakeVersion>('tone');
    const keeper = new RoutingKeeper({
      registry,
      file: new StateFile(path),
      onTrouble: (reason) => told.push(reason),
    });
    await keeper.open();
    for (const version of ['1', '2', '3']) registry.deploy(new FakeVersion('tone', version));
    return { registry, keeper };
  }

  const routing = (of = registry) => {
    const { traffic, aliases } = of.get('tone');
    return [
      traffic.map(({ version, percent }) => `${version}=${percent}`),
      aliases.map(({ alias, version }) => `${alias}=${version}`),
    ];
  };
  const counts = (of = registry, keys = 10_000) => {
    const found: Record<string, number> = {};
    for (let key = 0; key < keys; key++) {
      const { version } = of.requested.resolve({
        model: '',
        version: '',
        input: { text: 'a' },
        routingKey: `user-${key}`,
      });
      found[version] = (found[version] ?? 0) + 1;
    }
    return found;
  };
  const versionOf = (routingKey: string) =>
    registry.requested.resolve({ model: '', version: '', input: { text: 'a' }, routingKey }).version;

  it('divide 10,000 keys 90 to 10 within a point, and move x points of them by a change of x, towards what grew', async () => {
    await keeper.setTraffic('tone', shares({ 1: 90, 2: 10 }));
    const { 1: first = 0, 2: second = 0, ...others } = counts();
    assert.deepEqual(others, {});
    assert.ok(Math.abs(first - 9_000) <= 100 && Math.abs(second - 1_000) <= 100, `${first} ${second}`);

    const keys = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);
    const before = new Map(keys.map((key) => [key, versionOf(key)]));
    await keeper.setTraffic('tone', shares({ 1: 80, 2: 10, 3: 10 }));
    const moved = keys.filter((key) => before.get(key) !== versionOf(key));
    assert.ok(Math.abs(moved.length - 1_000) <= 100, `${moved.length}`);
    for (const key of moved) assert.deepEqual([before.get(key), versionOf(key)], ['1', '3']);
  });

  it('last beyond the end of the server', async () => {
    await keeper.setTraffic('tone', shares({ 1: 50, 2: 30, 3: 20 }));
    await keeper.setTraffic('tone', shares({ 1: 40, 2: 30, 3: 30 }));
    await keeper.setAlias('tone', 'champion', '1');
    await keeper.setAlias('tone', 'challenger', '3');
    await keeper.setAlias('tone', 'champion', '2');
    await keeper.deleteAlias('tone', 'challenger');
    assert.deepEqual(routing(), [['1=40', '2=30', '3=30'], ['champion=2']]);
    const again = await server();
    assert.deepEqual(routing(again.registry), routing());
    assert.deepEqual(counts(again.registry), counts());
  });

  it('begin with what is so where nothing is set, and are taken back by no shares', async () => {
    assert.deepEqual(counts(registry, 100), { 3: 100 });
    const before = Array.from({ length: 1_000 }, (_, at) => `user-${at}`);
    await keeper.setTraffic('tone', shares({ 3: 95, 1: 5 }));
    assert.ok(before.filter((key) => versionOf(key) === '1').length < 100);
    const view = await keeper.setTraffic('tone', new Map());
    assert.deepEqual([view.traffic, counts(registry, 100)], [[], { 3: 100 }]);
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { format: 1, models: {} });
  });

  it('name a version by its alias', async () => {
    await keeper.setAlias('tone', 'champion', '2');
    const resolve = (version: string) =>
      registry.requested.resolve({ model: '', version, input: { text: 'a' } }).version;
    assert.deepEqual([resolve('champion'), resolve('2'), resolve('')], ['2', '2', '3']);
    assert.throws(() => resolve('constructor'), { code: 'not_found', reason: 'VERSION_NOT_FOUND' });
    const second = registry.find('tone', '2');
    second?.end();
    await registry.retire('tone', (version) => version !== '2', new AbortController().signal);
    assert.throws(() => resolve('champion'), {
      reason: 'VERSION_NOT_FOUND',
      message: 'version tone/2 is not loaded: the alias champion stands for it',
    });
    assert.deepEqual(registry.named('tone'), new Set(['2']));
    registry.deploy(new FakeVersion('tone', '2'));
    assert.equal(resolve('champion'), '2');
  });

  it('of what is not there are refused, and change nothing', async () => {
    registry.addFailed({ name: 'tone', version: '4', reason: 'broken' });
    for (const [change, error] of [
      [
        () => keeper.setTraffic('tone', shares({ 1: 90, 5: 10 })),
        { code: 'not_found', reason: 'VERSION_NOT_FOUND' },
      ],
      [
        () => keeper.setTraffic('tone', shares({ 4: 100 })),
        { code: 'unavailable', reason: 'MODEL_NOT_LOADED' },
      ],
      [() => keeper.setTraffic('mood', shares({ 1: 100 })), { code: 'not_found', reason: 'MODEL_NOT_FOUND' }],
      [() => keeper.setTraffic('mood', new Map()), { code: 'not_found', reason: 'MODEL_NOT_FOUND' }],
      [() => keeper.setAlias('tone', 'champion', '5'), { reason: 'VERSION_NOT_FOUND' }],
      [() => keeper.deleteAlias('tone', 'champion'), { code: 'not_found', reason: 'ALIAS_NOT_FOUND' }],
    ] as const) {
      await assert.rejects(change, error);
      assert.deepEqual([routing(), existsSync(path)], [[[], []], false]);
    }
  });

  const limits = {
    ...{ version: '2', stable: '1', maxErrorPercent: 5, maxFlipPercent: undefined },
    ...{ minObservations: 50, windowSeconds: 300 },
  };
  const evidence = { cause: 'errors', count: 12, observations: 60 } as const;
  const ruleOf = (of = registry) => of.get('tone').rollback ?? assert.fail('there is no rule');

  it('set a shadow and end it, and its version is wanted meanwhile', async () => {
    await assert.rejects(keeper.setShadow('tone', '5', 10), { reason: 'VERSION_NOT_FOUND' });
    const { shadow } = await keeper.setShadow('tone', '2', 10);
    assert.deepEqual([shadow?.version, shadow?.percent], ['2', 10]);
    const again = await keeper.setShadow('tone', '2', 10);
    assert.ok((again.shadow?.setAt ?? 0) > (shadow?.setAt ?? 0), 'what is set anew is told from before');
    assert.deepEqual((await server()).registry.get('tone').shadow, again.shadow);
    assert.deepEqual(registry.named('tone'), new Set(['2']));
    assert.equal((await keeper.setShadow('tone', '', 0)).shadow, undefined);
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')).models, {});
  });

  it('take the traffic of a candidate in one step, for good, and a share arms the rule again', async () => {
    await assert.rejects(keeper.setRollback('tone', { ...limits, stable: '5' }), {
      reason: 'VERSION_NOT_FOUND',
    });
    await assert.rejects(keeper.deleteRollback('tone'), { reason: 'ROLLBACK_NOT_FOUND' });
    await keeper.setTraffic('tone', shares({ 1: 60, 2: 30, 3: 10 }));
    await keeper.setRollback('tone', limits);
    assert.deepEqual(registry.named('tone'), new Set(['1', '2', '3']));
    assert.equal(await keeper.rollBack('tone', ruleOf(), evidence), 'kept');
    assert.deepEqual(routing(), [['1=90', '3=10'], []]);
    assert.equal(await keeper.rollBack('tone', ruleOf(), evidence), 'not_needed');
    const { registry: restarted } = await server();
    assert.deepEqual(routing(restarted), routing());
    const { at, ...seen } = ruleOf(restarted).rolledBack ?? assert.fail();
    assert.deepEqual(seen, evidence);
    assert.match(
      restarted.readiness().reasons.join(),
      /^tone\/2 lost its traffic to 1 at .*Z: 12 of 60 inputs failed$/,
    );
    assert.ok(restarted.readiness().ready && at > 0);

    await keeper.setTraffic('tone', shares({ 1: 100 }));
    assert.notEqual(ruleOf().rolledBack, undefined);
    await keeper.setTraffic('tone', shares({ 1: 99, 2: 1 }));
    assert.equal(ruleOf().rolledBack, undefined);
    assert.equal((await keeper.deleteRollback('tone')).rollback, undefined);
  });

  it('take the traffic of the highest version, which has all where none is set', async () => {
    await keeper.setRollback('tone', { ...limits, version: '3' });
    assert.equal(await keeper.rollBack('tone', ruleOf(), evidence), 'kept');
    assert.deepEqual(routing(), [['1=100'], []]);
  });

  it('follow another server that has taken the traffic already', async () => {
    await keeper.setTraffic('tone', shares({ 1: 50, 2: 50 }));
    await keeper.setRollback('tone', limits);
    const other = await server();
    assert.equal(await keeper.rollBack('tone', ruleOf(), evidence), 'kept');
    assert.deepEqual(routing(other.registry), [['1=50', '2=50'], []]);
    assert.equal(await other.keeper.rollBack('tone', ruleOf(other.registry), evidence), 'not_needed');
    assert.deepEqual(routing(other.registry), [['1=100'], []]);
  });

  it('leave a candidate alone whose rule has changed, or that gets nothing', async () => {
    await keeper.setTraffic('tone', shares({ 1: 50, 2: 50 }));
    await keeper.setRollback('tone', limits);
    const former = ruleOf();
    await keeper.setRollback('tone', { ...limits, maxErrorPercent: 50 });
    assert.equal(await keeper.rollBack('tone', former, evidence), 'not_needed');
    await keeper.setTraffic('tone', shares({ 1: 100 }));
    assert.equal(await keeper.rollBack('tone', ruleOf(), evidence), 'not_needed');
  });

  it("give a candidate's traffic to no version that does not serve", async () => {
    await keeper.setTraffic('tone', shares({ 1: 50, 2: 50 }));
    await keeper.setRollback('tone', limits);
    const stable = registry.find('tone', '1') ?? assert.fail();
    stable.state = 'failed';
    await assert.rejects(keeper.rollBack('tone', ruleOf(), evidence), {
      message: 'the version tone/1 is failed',
    });
    assert.deepEqual(routing(), [['1=50', '2=50'], []]);
  });

  it('protect callers from a candidate though that cannot be kept', async () => {
    await keeper.setTraffic('tone', shares({ 1: 50, 2: 50 }));
    await keeper.setRollback('tone', limits);
    rmSync(join(path, '..'), { recursive: true });
    mkdirSync(join(path, '..'));
    writeFileSync(path, '{');
    assert.equal(await keeper.rollBack('tone', ruleOf(), evidence), 'not_kept');
    assert.deepEqual([routing(), told.length], [[['1=100'], []], 1]);
    assert.equal(readFileSync(path, 'utf8'), '{');
  });

  it('give a model 32 aliases, and no more', async () => {
    for (let at = 0; at < 32; at++) await keeper.setAlias('tone', `a${at}`, '1');
    await assert.rejects(keeper.setAlias('tone', 'one-more', '1'), {
      code: 'resource_exhausted',
      reason: 'TOO_MANY_ALIASES',
    });
    await keeper.setAlias('tone', 'a0', '2');
  });

  it('that cannot be kept change nothing, and are told', async () => {
    await keeper.setAlias('tone', 'champion', '1');
    rmSync(join(path, '..'), { recursive: true });
    const refused = { code: 'unavailable', reason: 'STATE_NOT_KEPT' };
    await assert.rejects(keeper.setAlias('tone', 'champion', '2'), refused);
    mkdirSync(join(path, '..'));
    writeFileSync(path, '{');
    await assert.rejects(keeper.setTraffic('tone', shares({ 1: 100 })), refused);
    assert.deepEqual(routing(), [[], ['champion=1']]);
    assert.equal(readFileSync(path, 'utf8'), '{', 'nothing is written over what somebody may mend');
    assert.deepEqual(
      told.map((reason) => reason.slice(path.length + 1).split(':')[0]),
      ['cannot be written', 'is not valid JSON'],
    );
  });

  it('of several servers that share the file add up, and are seen by the others when they look', async () => {
    const other = await server();
    await keeper.setAlias('tone', 'champion', '1');
    await other.keeper.setTraffic('tone', shares({ 1: 90, 2: 10 }));
    assert.deepEqual(routing(), [[], ['champion=1']]);
    await keeper.refresh();
    assert.deepEqual(routing(), [['1=90', '2=10'], ['champion=1']]);
    assert.deepEqual(routing(other.registry), routing());
    writeFileSync(path, '{');
    await keeper.refresh();
    assert.deepEqual([routing(), told.length], [[['1=90', '2=10'], ['champion=1']], 1]);
  });

  it('stay while the file is gone, which is told, and are all written with the next one', async () => {
    await keeper.refresh();
    assert.deepEqual(told, [], 'there was none yet, and nothing is set');
    await keeper.setTraffic('tone', shares({ 1: 90, 2: 10 }));
    rmSync(path);
    await keeper.refresh();
    assert.deepEqual(
      [routing(), told],
      [[['1=90', '2=10'], []], [`${path} is gone: traffic and aliases stay as they are`]],
    );
    await keeper.setAlias('tone', 'champion', '1');
    assert.deepEqual(routing((await server()).registry), [['1=90', '2=10'], ['champion=1']]);
  });

  it('that come at the same time are made one after the other', async () => {
    await Promise.all([
      ...Array.from({ length: 20 }, (_, at) => keeper.setAlias('tone', `a${at}`, '1')),
      keeper.setTraffic('tone', shares({ 2: 100 })),
    ]);
    const [traffic, aliases] = routing((await server()).registry);
    assert.deepEqual([traffic, aliases?.length], [['2=100'], 20]);
  });

  it('count their versions as named while they are being kept, and no longer', async () => {
    const changing = keeper.setAlias('tone', 'champion', '1');
    await new Promise(setImmediate);
    assert.deepEqual([routing(), registry.named('tone')], [[[], []], new Set(['1'])]);
    await changing;
    await keeper.deleteAlias('tone', 'champion');
    assert.deepEqual(registry.named('tone'), new Set());
    writeFileSync(path, '{');
    await assert.rejects(keeper.setAlias('tone', 'champion', '2'), { reason: 'STATE_NOT_KEPT' });
    assert.deepEqual(registry.named('tone'), new Set());
  });

  it('are given up by a caller that leaves while others hold the file, and change nothing', async () => {
    writeFileSync(`${path}.lock`, '');
    const caller = new AbortController();
    const [changing, next] = ['1', '2'].map((version) =>
      keeper.setAlias('tone', 'champion', version, caller.signal),
    );
    await new Promise(setImmediate);
    caller.abort(new Error('left'));
    for (const change of [changing, next]) await assert.rejects(change ?? Promise.resolve(), /left/);
    assert.deepEqual([routing(), existsSync(path)], [[[], []], false]);
  });

  it('are not begun over a file that makes no sense', async () => {
    writeFileSync(path, '{"format":1,"models":{"tone":{"traffic":[]}}}');
    await assert.rejects(server(), /state\.json says of tone what makes no sense/);
  });
});
