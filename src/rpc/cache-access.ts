import type { CacheSharing } from '../auth/cache-sharing.js';
import type { Identity } from '../auth/identity.js';
import { type Keyspace, sharedKeyspace } from '../cache/types.js';

/** Whose cached answers a caller gets. */
export class CacheAccess {
  readonly #sharing: CacheSharing;

  /** @param sharing of callers of which nothing else is said */
  constructor(sharing: CacheSharing) {
    this.#sharing = sharing;
  }

  /** Undefined: nobody's. A caller whose name nobody knows cannot have a cache of its own. */
  keyspaceOf(identity: Identity | undefined): Keyspace | undefined {
    switch (identity?.cache ?? this.#sharing) {
      case 'shared':
        return sharedKeyspace;
      case 'own':
        return identity?.name;
      case 'off':
        return undefined;
    }
  }
}
