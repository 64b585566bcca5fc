import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArrivalQueue } from '../../../src/batching/queueing/arrival-queue.js';
import { type FairlyQueued, FairQueue, type FlowQueue } from '../../../src/batching/queueing/fair-queue.js';
import type { ServiceClass } from '../../../src/batching/types.js';
import { WeightedFlow } from '../../../src/claim.js';

/** Nobody is overdue. */
const NEVER = Number.NEGATIVE_INFINITY;

class Input implements FairlyQueued<Input> {
  previous: Input | undefined = undefined;
  next: Input | undefined = undefined;
  lane: FlowQueue<Input> | undefined = undefined;

  constructor(
    readonly name: string,
    readonly tokens: number,
    readonly serviceClass: ServiceClass,
    readonly flow: object | undefined,
    readonly enqueuedAt = 0,
  ) {}
}

/** Runs the most urgent input alone, as often as asked, and counts the tokens by what `keyOf` says. */
function serve(queue: FairQueue<Input>, count: number, keyOf: (input: Input) => string): Map<string, number> {
  const served = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const [first] = queue.window(512, 100, NEVER);
    if (first === undefined) break;
    queue.remove(first);
    queue.charge(first);
    served.set(keyOf(first), (served.get(keyOf(first)) ?? 0) + first.tokens);
  }
  return served;
}

function fill(
  queue: FairQueue<Input>,
  count: number,
  tokens: number,
  of: ServiceClass,
  flow?: object,
  name = '',
): void {
  for (let i = 0; i < count; i++) queue.push(new Input(`${name}${i}`, tokens, of, flow));
}

describe('the fair queue', () => {
  test('is in order of arrival for one class and one flow', () => {
    const queue = new FairQueue<Input>(4);
    fill(queue, 5, 10, 'bulk', undefined, 'a');
    assert.deepEqual(
      queue.window(3, 0, NEVER).map(({ name }) => name),
      ['a0', 'a1', 'a2'],
    );
  });

  test('shares tokens between the classes by weight, whatever the lengths', () => {
    const queue = new FairQueue<Input>(3);
    fill(queue, 1_000, 30, 'interactive');
    fill(queue, 1_000, 7, 'bulk');
    const served = serve(queue, 400, ({ serviceClass }) => serviceClass);
    const ratio = (served.get('interactive') ?? 0) / (served.get('bulk') ?? 0);
    assert.ok(Math.abs(ratio - 3) < 0.1, `${ratio}`);
  });

  test('gives a flow with a weight as many shares, and forecasts by them', () => {
    const queue = new FairQueue<Input>(4);
    const [heavy, light] = [new WeightedFlow(3), {}];
    fill(queue, 2_000, 5, 'bulk', heavy, 'a');
    fill(queue, 2_000, 20, 'bulk', light, 'b');
    assert.equal(queue.ahead('bulk', heavy).flows, 4 / 3);
    assert.equal(queue.ahead('bulk', light).flows, 4);
    assert.equal(queue.ahead('bulk', new WeightedFlow(2)).flows, 3);
    const served = serve(queue, 1_000, ({ flow }) => (flow === heavy ? 'heavy' : 'light'));
    const ratio = (served.get('heavy') ?? 0) / (served.get('light') ?? 0);
    assert.ok(Math.abs(ratio - 3) < 0.1, `${ratio}`);
    serve(queue, 4_000, () => '');
    assert.equal(queue.ahead('bulk', light).flows, 1);
  });

  test('shares tokens alike between the flows of a class, whatever the lengths and however many they queue', () => {
    const queue = new FairQueue<Input>(4);
    fill(queue, 2_000, 5, 'bulk', {}, 'a');
    fill(queue, 300, 50, 'bulk', {}, 'b');
    fill(queue, 900, 20, 'bulk', undefined, 'c');
    const served = serve(queue, 600, ({ name }) => name.slice(0, 1));
    const tokens = [...served.values()];
    assert.equal(tokens.length, 3);
    assert.ok(Math.max(...tokens) - Math.min(...tokens) <= 50, tokens.join(' '));
  });

  test('gives a flow that comes late its turn at once, and nothing for the time that it was away', () => {
    const queue = new FairQueue<Input>(4);
    const late = {};
    fill(queue, 100, 10, 'bulk', {}, 'a');
    fill(queue, 1, 10, 'bulk', late, 'b');
    serve(queue, 60, ({ name }) => name);
    fill(queue, 50, 10, 'bulk', late, 'b');
    const served = serve(queue, 20, ({ name }) => name.slice(0, 1));
    assert.deepEqual({ a: served.get('a'), b: served.get('b') }, { a: 100, b: 100 });
  });

  test('does not forget what a flow has had when its queue is empty for a moment', () => {
    const queue = new FairQueue<Input>(4);
    const quick = {};
    fill(queue, 100, 10, 'bulk', {}, 'a');
    let quickTokens = 0;
    for (let i = 0; i < 40; i++) {
      if (i % 2 === 0) fill(queue, 1, 30, 'bulk', quick, 'q');
      quickTokens += serve(queue, 1, ({ name }) => name.slice(0, 1)).get('q') ?? 0;
    }
    // Half of 40 turns of 10 tokens and of 30: the flows alternate in tokens, not in turns.
    assert.ok(quickTokens <= 330, `${quickTokens}`);
  });

  test('leaves out of a window the classes and flows that are further ahead than the lead', () => {
    const queue = new FairQueue<Input>(1);
    const [ahead, behind] = [{}, {}];
    fill(queue, 50, 10, 'bulk', ahead, 'a');
    const taken = queue.window(20, 0, NEVER);
    fill(queue, 5, 10, 'bulk', behind, 'b');
    for (const input of taken) {
      queue.remove(input);
      queue.charge(input);
    }
    const names = (lead: number) =>
      new Set(queue.window(512, lead, NEVER).map(({ name }) => name.slice(0, 1)));
    assert.deepEqual([...names(199)], ['b']);
    assert.deepEqual([...names(200)].sort(), ['a', 'b']);
    fill(queue, 1, 10, 'interactive', undefined, 'i');
    assert.deepEqual([...names(1_000)].sort(), ['a', 'b', 'i']);
  });

  test('leaves room in a full window for the class that is not first', () => {
    const queue = new FairQueue<Input>(4);
    fill(queue, 600, 10, 'interactive', undefined, 'i');
    fill(queue, 600, 10, 'bulk', undefined, 'b');
    const window = queue.window(512, 0, NEVER);
    assert.equal(window.length, 512);
    assert.equal(window.filter(({ serviceClass }) => serviceClass === 'bulk').length, 256);
  });

  test('takes an input that was run for nothing back to the front, as if it had not been run', () => {
    const queue = new FairQueue<Input>(4);
    fill(queue, 3, 10, 'bulk', {}, 'a');
    fill(queue, 3, 10, 'bulk', {}, 'b');
    const [first] = queue.window(1, 0, NEVER);
    assert.ok(first);
    queue.remove(first);
    queue.charge(first);
    queue.requeue(first);
    assert.deepEqual(
      queue
        .window(2, 0, NEVER)
        .map(({ name }) => name)
        .sort(),
      ['a0', 'b0'],
    );
    assert.equal(queue.size, 6);
  });

  test('keeps count, and every input once, whatever comes and goes', () => {
    const flows = [undefined, {}, {}, {}];
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom('push', 'push', 'run', 'leave', 'back'),
        which: fc.nat(),
        tokens: fc.integer({ min: 1, max: 200 }),
        of: fc.constantFrom<ServiceClass>('interactive', 'bulk'),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const queue = new FairQueue<Input>(4);
        const inside = new Set<Input>();
        const running: Input[] = [];
        for (const { kind, which, tokens, of } of list) {
          if (kind === 'push') {
            const input = new Input(`${which}`, tokens, of, flows[which % flows.length]);
            queue.push(input);
            inside.add(input);
          } else if (kind === 'back') {
            const input = running.pop();
            if (input === undefined) continue;
            queue.requeue(input);
            inside.add(input);
          } else {
            const inputs = [...inside];
            const input =
              kind === 'run' ? queue.window(1, 0, NEVER)[0] : inputs[which % Math.max(1, inputs.length)];
            if (input === undefined) continue;
            queue.remove(input);
            inside.delete(input);
            if (kind === 'run') {
              queue.charge(input);
              running.push(input);
            }
          }
          assert.equal(queue.size, inside.size);
          assert.deepEqual(new Set(queue.all()), inside);
          assert.equal(queue.all().length, inside.size);
          assert.equal(queue.window(512, 0, NEVER).length > 0, inside.size > 0);
        }
      }),
    );
  });

  test('lets the class that only fills go first where it is overdue and has not been first for as long', () => {
    const queue = new FairQueue<Input>(3);
    fill(queue, 100, 10, 'interactive', undefined, 'i');
    fill(queue, 100, 10, 'bulk', undefined, 'b');
    // As after filling the other one's batches: ahead, but not by so much that it is left out.
    const served = new Input('served', 5_000, 'bulk', undefined);
    queue.push(served);
    queue.remove(served);
    queue.charge(served);
    const maxAge = 3;
    const firsts = Array.from({ length: 8 }, (_, now) => {
      const [first] = queue.window(512, 10_000, now - maxAge);
      if (first === undefined) throw new Error('the queue is empty');
      queue.anchored(first, now);
      return first.serviceClass.slice(0, 1);
    });
    assert.equal(firsts.join(''), 'iiibiibi');
  });

  test('puts the oldest input of a class first every other time, if it is overdue and its flow not too far ahead', () => {
    const [light, heavy] = [{}, {}];
    const queue = new FairQueue<Input>(4);
    queue.push(new Input('old', 10, 'bulk', heavy, 1));
    queue.push(new Input('new', 10, 'bulk', light, 2));
    const served = new Input('served', 50, 'bulk', heavy, 0);
    queue.push(served);
    queue.remove(served);
    queue.charge(served);
    const firsts = (lead: number, overdueAt: number) =>
      Array.from({ length: 4 }, () => {
        const [first] = queue.window(512, lead, overdueAt);
        if (first === undefined) throw new Error('the queue is empty');
        queue.anchored(first, 3);
        return first.name;
      });
    assert.deepEqual(firsts(100, 1), ['old', 'new', 'old', 'new']);
    assert.deepEqual(firsts(100, 0), ['new', 'new', 'new', 'new']);
    assert.deepEqual(firsts(49, 1), ['new', 'new', 'new', 'new']);
  });
});

test('the queue in order of arrival knows neither classes nor flows', () => {
  const queue = new ArrivalQueue<Input>();
  const [a, b, c] = [
    new Input('a', 10, 'bulk', {}),
    new Input('b', 20, 'interactive', undefined),
    new Input('c', 30, 'bulk', {}),
  ];
  for (const input of [a, b, c]) queue.push(input);
  const names = () => queue.window(512).map(({ name }) => name);
  assert.deepEqual(names(), ['a', 'b', 'c']);
  const { share, classLoad, flows } = queue.ahead();
  assert.deepEqual([share, classLoad.tokens, flows], [1, 60, 1]);
  queue.remove(a);
  queue.remove(b);
  queue.requeue(b);
  assert.deepEqual([names(), queue.size], [['b', 'c'], 2]);
});
