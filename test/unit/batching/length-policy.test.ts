import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { selectByLength } from '../../../src/batching/dispatch/length-policy.js';
import type { InputFacts, PolicyFacts } from '../../../src/batching/types.js';
import { predictRunMs } from '../../../src/cost/cost-curve.js';

/** A base that the policy believes at any budget here. */
const steep = { baseMs: 20, msPerToken: 0.5, msPerTokenSquared: 0.0002 };
const curve = { baseMs: 4, msPerToken: 0.5, msPerTokenSquared: 0.0002 };

function texts(lengths: readonly number[], enqueuedAt = 0): InputFacts[] {
  return lengths.map((tokens) => ({ tokens, enqueuedAt, deadlineAt: Number.POSITIVE_INFINITY }));
}

function factsOf(window: readonly InputFacts[], facts: Partial<PolicyFacts> = {}): PolicyFacts {
  return {
    now: 0,
    queuedItems: window.length,
    queuedTokens: window.reduce((total, input) => total + input.tokens, 0),
    idleRunners: 1,
    budgetTokens: 512,
    maxItems: 64,
    maxRunMs: Number.POSITIVE_INFINITY,
    maxAgeMs: 1_000,
    curve,
    ...facts,
  };
}

function select(window: readonly InputFacts[], facts: Partial<PolicyFacts> = {}) {
  const { positions, reason } = selectByLength(window, factsOf(window, facts));
  const chosen = Array.from(positions);
  return { chosen, reason, lengths: chosen.map((position) => window[position]?.tokens ?? 0) };
}

const lengthsArbitrary = fc.array(fc.integer({ min: 1, max: 512 }), { minLength: 1, maxLength: 60 });

describe('the length policy', () => {
  test('always takes the oldest input, and nothing twice', () => {
    fc.assert(
      fc.property(lengthsArbitrary, fc.integer({ min: 1, max: 4 }), (lengths, idleRunners) => {
        const { chosen } = select(texts(lengths), { idleRunners });
        assert.ok(chosen.includes(0));
        assert.equal(new Set(chosen).size, chosen.length);
        assert.ok(chosen.every((position) => position < lengths.length));
      }),
    );
  });

  test('keeps to the budget, the number of inputs and the run time, except for one input alone', () => {
    const facts = { budgetTokens: 300, maxItems: 7, maxRunMs: 90 };
    fc.assert(
      fc.property(lengthsArbitrary, (window) => {
        const { lengths } = select(texts(window), facts);
        const longest = Math.max(...lengths);
        if (lengths.length === 1) return;
        assert.ok(longest * lengths.length <= facts.budgetTokens);
        assert.ok(lengths.length <= facts.maxItems);
        assert.ok(predictRunMs(curve, lengths.length, longest) <= facts.maxRunMs);
      }),
    );
  });

  test('leaves no text out that lies between two chosen lengths', () => {
    fc.assert(
      fc.property(lengthsArbitrary, (window) => {
        const { lengths } = select(texts(window));
        const between = window.filter((n) => n > Math.min(...lengths) && n < Math.max(...lengths));
        assert.equal(
          lengths.filter((n) => n > Math.min(...lengths) && n < Math.max(...lengths)).length,
          between.length,
        );
      }),
    );
  });

  test('clears a queue in the cheapest set of batches that there is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 50, max: 600 }),
        fc.integer({ min: 1, max: 12 }),
        (lengths, budgetTokens, maxItems) => {
          let left = texts(lengths);
          let totalMs = 0;
          while (left.length > 0) {
            const batch = select(left, { budgetTokens, maxItems, curve: steep });
            totalMs += predictRunMs(steep, batch.lengths.length, Math.max(...batch.lengths));
            const taken = new Set(batch.chosen);
            left = left.filter((_, position) => !taken.has(position));
          }
          const leastMs = cheapestTotal(lengths, budgetTokens, maxItems);
          assert.ok(Math.abs(totalMs - leastMs) < 1e-6, `${totalMs} ms instead of ${leastMs} ms`);
        },
      ),
    );
  });

  test('does not put a long text to short ones', () => {
    const { lengths, reason } = select(texts([20, 500, 21, 19, 22]));
    assert.deepEqual(lengths, [19, 20, 21, 22]);
    assert.equal(reason, 'length');
  });

  test('runs a long text alone when it is the oldest', () => {
    assert.deepEqual(select(texts([500, 20, 21, 19])).lengths, [500]);
  });

  test('runs batches of more than one even where the curve has no base', () => {
    const flat = { baseMs: 0, msPerToken: 1, msPerTokenSquared: 0 };
    assert.equal(select(texts([20, 21, 22, 23]), { curve: flat }).chosen.length, 4);
  });

  test('says why it closed a batch', () => {
    const twenty = Array.from({ length: 20 }, () => 20);
    assert.equal(select(texts([20, 20])).reason, 'drained');
    assert.equal(select(texts(twenty), { budgetTokens: 100 }).reason, 'budget');
    assert.equal(select(texts(twenty), { maxItems: 5 }).reason, 'items');
    assert.equal(select(texts(twenty), { maxRunMs: 60 }).reason, 'run_time');
    assert.equal(select(texts(twenty), { idleRunners: 2 }).reason, 'shared');
  });

  test('divides a short queue among the runners that are free', () => {
    const queue = texts([20, 20, 20, 20, 20, 20]);
    assert.equal(select(queue, { idleRunners: 2 }).chosen.length, 3);
    assert.equal(select(queue, { idleRunners: 6 }).chosen.length, 1);
  });

  test('fills batches when the queue is longer than the look-ahead, however many runners are free', () => {
    const window = texts(Array.from({ length: 30 }, () => 20));
    assert.equal(select(window, { idleRunners: 4, queuedItems: 90 }).chosen.length, 25);
  });

  test('looks for neighbours among the overdue first, once the oldest input is overdue', () => {
    const overdue = texts(
      Array.from({ length: 80 }, (_, i) => (i === 0 ? 30 : 200 + i)),
      0,
    );
    const young = texts(
      Array.from({ length: 100 }, () => 30),
      900,
    );
    const window = [...overdue, ...young];
    assert.ok(select(window, { now: 950 }).chosen.some((position) => position >= overdue.length));
    assert.ok(select(window, { now: 1_000 }).chosen.every((position) => position < overdue.length));
  });

  test('narrows nothing when everything is overdue', () => {
    const window = texts(
      Array.from({ length: 200 }, (_, i) => 10 + (i % 40)),
      0,
    );
    assert.deepEqual(select(window, { now: 5_000 }), select(window, { now: 0 }));
  });
});

/** The least total run time, by trying every start of every run. */
function cheapestTotal(lengths: readonly number[], budgetTokens: number, maxItems: number): number {
  const sorted = [...lengths].sort((a, b) => a - b);
  const best = [0];
  for (let end = 1; end <= sorted.length; end++) {
    const longest = sorted[end - 1] ?? 0;
    let least = Number.POSITIVE_INFINITY;
    for (let start = end - 1; start >= 0; start--) {
      const inputs = end - start;
      if (inputs > 1 && (inputs > maxItems || inputs * longest > budgetTokens)) break;
      least = Math.min(least, (best[start] ?? 0) + predictRunMs(steep, inputs, longest));
    }
    best.push(least);
  }
  return best[sorted.length] ?? 0;
}
