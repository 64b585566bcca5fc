import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { repositoryRoot } from '../support/repository.js';

const folder = join(repositoryRoot, 'test/unit');

/** What belongs into test/integration: it needs a tool, or starts what takes seconds. */
const SLOW =
  /from '[./]*\/(support\/(tool|redis-server|envoy-process|envoy-service|peer-server|server-process|service|spawn-server)|src\/(tokenizer\/tokenizer-pool|runtime\/open-session))\.js'/;

it('unit tests need no tool and start no server, session process or tokeniser thread', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  assert.ok(files.length > 100);
  const slow = files.filter((name) => SLOW.test(readFileSync(join(folder, name), 'utf8')));
  assert.deepEqual(slow, []);
});
