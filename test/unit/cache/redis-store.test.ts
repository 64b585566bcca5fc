import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisStore } from '../../../src/cache/redis-store.js';
import { entryOf } from '../../support/cache-entries.js';

/** A connection whose writes end when the test says so. */
class SlowConnection {
  readonly sent: string[] = [];
  readonly #ends: (() => void)[] = [];

  accepts(): boolean {
    return true;
  }

  get(): 'skipped' {
    return 'skipped';
  }

  set(key: string): Promise<'OK'> {
    this.sent.push(`set ${key}`);
    return new Promise((resolve) => {
      this.#ends.push(() => resolve('OK'));
    });
  }

  async delete(key: string): Promise<number> {
    this.sent.push(`delete ${key}`);
    return 1;
  }

  endWrites(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a removal waits for writes that are under way: a cluster may have one sent again', async () => {
  const connection = new SlowConnection();
  const store = new RedisStore(connection, { keyPrefix: '', ttlMs: 1_000 });
  store.set('a', entryOf(1));
  await turn();
  const forgotten = store.forget(['a']);
  await turn();
  assert.deepEqual(connection.sent, ['set a']);
  connection.endWrites();
  assert.equal(await forgotten, 1);
  assert.deepEqual(connection.sent, ['set a', 'delete a']);
});

test('how long an entry lives at most is rounded up to whole seconds', () => {
  const secondsOf = (ttlMs: number) =>
    new RedisStore(new SlowConnection(), { keyPrefix: '', ttlMs }).longestLifeSeconds;
  assert.deepEqual([100_000, 1_000, 3_600_000].map(secondsOf), [110, 2, 3_960]);
});
