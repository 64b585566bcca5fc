import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  redivided,
  runsOf,
  type Shares,
  sharesOf,
  type Traffic,
  trafficOf,
  undivided,
} from '../../../src/models/traffic.js';

const versions = ['1', '2', '3'];

/** Shares of two or three versions, 0 among them. */
const anyShares = fc
  .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), fc.boolean())
  .map(([one, other, isPair]): Shares => {
    const [low, high] = one < other ? [one, other] : [other, one];
    const shares = isPair ? [low, 100 - low, 0] : [low, high - low, 100 - high];
    return new Map(
      versions.map((version, at) => [version, shares[at] ?? 0] as const).filter(([, share]) => share > 0),
    );
  });

const steps = fc.array(anyShares, { minLength: 1, maxLength: 8 });

function divided(through: readonly Shares[]): Traffic {
  return through.reduce<Traffic>(redivided, undivided('3'));
}

describe('a division of requests', () => {
  it('gives each version the share that it is to have, whatever the steps before', () => {
    fc.assert(
      fc.property(steps, (through) => {
        const last = through.at(-1) ?? new Map();
        assert.deepEqual(sharesOf(divided(through)), new Map([...last].sort()));
      }),
    );
  });

  it('moves by a change of x percent x percent of the keys, all from versions that shrink to versions that grow', () => {
    fc.assert(
      fc.property(steps, anyShares, (through, next) => {
        const before = divided(through);
        const after = redivided(before, next);
        const growth = (version: string) => (next.get(version) ?? 0) - (sharesOf(before).get(version) ?? 0);
        const moves = before.flatMap((from, at) => {
          const to = after[at] ?? '';
          return from === to ? [] : [[from, to] as const];
        });
        const grown = versions.map(growth).filter((by) => by > 0);
        assert.equal(
          moves.length,
          grown.reduce((sum, by) => sum + by, 0),
        );
        for (const [from, to] of moves) assert.ok(growth(from) < 0 && growth(to) > 0, `${from} to ${to}`);
      }),
    );
  });

  it('between two versions depends on the shares alone', () => {
    const ofTwo = fc.integer({ min: 1, max: 99 }).map(
      (low): Shares =>
        new Map([
          ['1', low],
          ['2', 100 - low],
        ]),
    );
    fc.assert(
      fc.property(fc.array(ofTwo, { maxLength: 6 }), ofTwo, (through, last) => {
        assert.deepEqual(divided([...through, last]), divided([last]));
      }),
    );
  });

  it('is told as runs, and read from them', () => {
    fc.assert(
      fc.property(steps, (through) => {
        const traffic = divided(through);
        assert.deepEqual(trafficOf(runsOf(traffic)), traffic);
      }),
    );
    assert.deepEqual(
      runsOf(
        divided([
          new Map([
            ['1', 90],
            ['2', 10],
          ]),
        ]),
      ),
      [
        { version: '1', percent: 90 },
        { version: '2', percent: 10 },
      ],
    );
    assert.equal(trafficOf([{ version: '1', percent: 99 }]), undefined);
  });

  it('has versions in the order of their numbers', () => {
    const shares = new Map([
      ['10', 50],
      ['9', 50],
    ]);
    assert.deepEqual([...sharesOf(redivided(undivided('9'), shares)).keys()], ['9', '10']);
  });

  it('is not made of shares that make no sense', () => {
    for (const shares of [
      new Map(),
      new Map([['1', 99]]),
      new Map([['1', 101]]),
      new Map([
        ['1', 120],
        ['2', -20],
      ]),
      new Map([
        ['1', 0],
        ['2', 100],
      ]),
      new Map([
        ['1', 50.5],
        ['2', 49.5],
      ]),
    ])
      assert.throws(() => redivided(undivided('1'), shares), /shares must be whole percent/);
  });
});
