import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Linked, LinkedQueue } from '../../../src/batching/queueing/linked-queue.js';

class Node implements Linked<Node> {
  previous: Node | undefined;
  next: Node | undefined;
}

test('the queue behaves like an array under pushes, unshifts and removals anywhere', () => {
  const step = fc.oneof(fc.constant('push' as const), fc.constant('unshift' as const), fc.nat({ max: 50 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new LinkedQueue<Node>();
      const model: Node[] = [];
      for (const action of steps) {
        if (action === 'push') {
          const node = new Node();
          queue.push(node);
          model.push(node);
        } else if (action === 'unshift') {
          const node = new Node();
          queue.unshift(node);
          model.unshift(node);
        } else {
          const [node] = model.splice(action % Math.max(1, model.length), 1);
          if (node !== undefined) queue.remove(node);
        }
        assert.equal(queue.size, model.length);
        assert.equal(queue.head, model[0]);
      }
      const all = queue.first(Number.POSITIVE_INFINITY);
      assert.ok(all.length === model.length && all.every((node, i) => node === model[i]));
      assert.equal(queue.first(2).length, Math.min(2, model.length));
    }),
  );
});
