import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FileLook, KeyWatch } from '../../../src/auth/key-watch.js';
import type { KeyFile } from '../../../src/auth/types.js';

/** A file of which the test says what it holds: `!` at the start makes it unusable. */
class World {
  held: FileLook = { content: 'first' };
  readonly events: string[] = [];
  parsed = 0;

  open(): Promise<KeyWatch> {
    return KeyWatch.open({
      name: 'keys.yaml',
      look: async () => this.held,
      parse: async (content) => {
        this.parsed++;
        if (content.startsWith('!')) return { problems: [`keys.yaml: ${content.slice(1)}.`] };
        return { file: { secret: content, keys: [] } };
      },
      hooks: {
        onKeysLoaded: (count) => this.events.push(`loaded ${count}`),
        onKeysReloadFailed: (trouble) => this.events.push(trouble),
        onKeysRestored: () => this.events.push('restored'),
      },
    });
  }

  readonly take = ({ secret }: KeyFile): void => {
    this.events.push(`took ${secret}`);
  };
}

async function opened(): Promise<{ world: World; look: (held?: FileLook) => Promise<string[]> }> {
  const world = new World();
  const watch = await world.open();
  assert.deepEqual(world.events.splice(0), ['loaded 0']);
  return {
    world,
    look: async (held = world.held) => {
      world.held = held;
      await watch.look(world.take);
      return world.events.splice(0);
    },
  };
}

describe('a key file that is watched', () => {
  it('stops the start if it cannot be used', async () => {
    const world = new World();
    world.held = { content: '!the id a is there twice' };
    await assert.rejects(() => world.open(), /^Error: keys\.yaml: the id a is there twice\.$/);
    world.held = { trouble: 'cannot be read: gone' };
    await assert.rejects(() => world.open(), /^Error: keys\.yaml: it cannot be read: gone\.$/);
  });

  it('is taken once it is the same at two looks', async () => {
    const { world, look } = await opened();
    assert.deepEqual(await look({ content: 'sec' }), []);
    assert.deepEqual(await look({ content: 'second' }), []);
    assert.deepEqual(await look(), ['took second', 'loaded 0']);
    assert.deepEqual(await look(), []);
    assert.equal(world.parsed, 2);
  });

  it('leaves the former keys if it cannot be used, says so once, and is not parsed again', async () => {
    const { world, look } = await opened();
    await look({ content: '!it is empty' });
    assert.deepEqual(await look(), ['keys.yaml: it is empty.']);
    assert.deepEqual(await look(), []);
    assert.equal(world.parsed, 2);
    await look({ trouble: 'cannot be read: gone' });
    assert.deepEqual(await look(), ['keys.yaml: it cannot be read: gone.']);
    await look({ content: 'first' });
    assert.deepEqual(await look(), ['restored']);
    await look({ content: 'third' });
    assert.deepEqual(await look(), ['took third', 'loaded 0']);
  });

  it('changes nothing any more once the watch is closed', async () => {
    const world = new World();
    const watch = await world.open();
    world.events.length = 0;
    world.held = { content: 'second' };
    await watch.look(world.take);
    watch.close();
    await watch.look(world.take);
    assert.deepEqual(world.events, []);
  });
});
