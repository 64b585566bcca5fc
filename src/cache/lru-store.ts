import { LRUCache } from 'lru-cache';
import type { CacheEntry, CacheHooks, CacheKey, CacheStore } from './types.js';

/**
 * What an entry costs beside its logits: key, Map slot, list links, entry and typed array objects. Measured on
 * Node 20: 400 to 430 bytes of heap per entry, rounded up.
 */
const ENTRY_OVERHEAD_BYTES = 480;

export interface LruStoreOptions {
  /** Memory that the entries may take, estimated with everything around them; at least 1. */
  readonly maxBytes: number;
  /** How long an entry lives, in milliseconds. Default: until it is evicted. */
  readonly ttlMs?: number;
}

/** The tier in memory: the entries used last, bounded by bytes. Answers synchronously. */
export class LruStore implements CacheStore {
  readonly #entries: LRUCache<CacheKey, CacheEntry>;
  readonly #hooks: CacheHooks;

  constructor({ maxBytes, ttlMs = 0 }: LruStoreOptions, hooks: CacheHooks = {}) {
    // The byte bound implies one on entries. `max` would add none, and allocate its arrays for all of them at once.
    this.#entries = new LRUCache({ maxSize: maxBytes, sizeCalculation: entryBytes, ttl: ttlMs });
    this.#hooks = hooks;
  }

  get(key: CacheKey): CacheEntry | undefined {
    const entry = this.#entries.get(key);
    this.#hooks.onLookup?.('lru', entry === undefined ? 'miss' : 'hit');
    return entry;
  }

  /** Keeps the entry, unless it alone is larger than the bound. Its logits are shared: nobody may change them. */
  set(key: CacheKey, entry: CacheEntry): void {
    this.#entries.set(key, compact(entry));
    const kept = this.#entries.has(key);
    this.#hooks.onWrite?.('lru', kept ? 'ok' : 'dropped');
    this.#hooks.onSize?.({ entries: this.#entries.size, bytes: this.#entries.calculatedSize });
  }
}

function entryBytes(entry: CacheEntry): number {
  return ENTRY_OVERHEAD_BYTES + entry.logits.byteLength;
}

/** A row that is a view into a whole batch's buffer would keep all of that alive. */
function compact(entry: CacheEntry): CacheEntry {
  const { logits } = entry;
  return logits.byteLength === logits.buffer.byteLength ? entry : { ...entry, logits: logits.slice() };
}
