import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Identity } from '../../../src/auth/identity.js';
import { WeightedFlow } from '../../../src/claim.js';
import { CacheAccess } from '../../../src/rpc/cache-access.js';

const named = (name: string, cache: Identity['cache']) =>
  new Identity({
    ...{ name, scopes: [], models: undefined, limits: undefined, cache },
    flow: new WeightedFlow(1),
  });

test('a caller has what its key says, else what the server says', () => {
  const found = (sharing: 'shared' | 'own' | 'off') => {
    const access = new CacheAccess(sharing);
    return [undefined, 'shared' as const, 'own' as const, 'off' as const].map((cache) =>
      access.keyspaceOf(named('key:a', cache)),
    );
  };
  assert.deepEqual(found('shared'), ['', '', 'key:a', undefined]);
  assert.deepEqual(found('own'), ['key:a', '', 'key:a', undefined]);
  assert.deepEqual(found('off'), [undefined, '', 'key:a', undefined]);
});

test('a caller without a name shares, or has none', () => {
  const keyspaceOf = (sharing: 'shared' | 'own' | 'off') => new CacheAccess(sharing).keyspaceOf(undefined);
  assert.deepEqual([keyspaceOf('shared'), keyspaceOf('own'), keyspaceOf('off')], ['', undefined, undefined]);
});
