import { LRUCache } from 'lru-cache';
import type { CacheEntry, CacheHooks, CacheKey, CacheStore } from './types.js';

/**
 * The size of an entry without its logits: key, Map slot, list links, entry and typed array objects. Measured on Node
 * 20: 400 to 430 bytes of heap per entry, rounded up.
 */
const ENTRY_OVERHEAD_BYTES = 480;

export interface LruStoreOptions {
  /** Memory for the entries, estimated with everything around them; at least 1. */
  readonly maxBytes: number;
  /** How long an entry lives, in milliseconds. Default: until it is evicted. */
  readonly ttlMs?: number;
}

/** The tier in memory: the most recently used entries, limited by bytes. Answers synchronously. */
export class LruStore implements CacheStore {
  readonly #entries: LRUCache<CacheKey, CacheEntry>;
  readonly #hooks: CacheHooks;

  constructor({ maxBytes, ttlMs = 0 }: LruStoreOptions, hooks: CacheHooks = {}) {
    // The limit on bytes implies one on entries. `max` would add nothing, and allocate arrays for all entries at once.
    this.#entries = new LRUCache({ maxSize: maxBytes, sizeCalculation: entryBytes, ttl: ttlMs });
    this.#hooks = hooks;
  }

  get(key: CacheKey): CacheEntry | undefined {
    const entry = this.#entries.get(key);
    this.#hooks.onLookup?.('lru', entry === undefined ? 'miss' : 'hit');
    return entry;
  }

  /** Keeps the entry, unless it alone exceeds the limit. Its logits are shared and must not be changed. */
  set(key: CacheKey, entry: CacheEntry): void {
    this.#entries.set(key, compact(entry));
    const kept = this.#entries.has(key);
    this.#hooks.onWrite?.('lru', kept ? 'ok' : 'dropped');
    this.#tellSize();
  }

  forget(keys: readonly CacheKey[]): number {
    const removed = keys.filter((key) => this.#entries.delete(key)).length;
    if (removed > 0) this.#tellSize();
    return removed;
  }

  #tellSize(): void {
    this.#hooks.onSize?.({ entries: this.#entries.size, bytes: this.#entries.calculatedSize });
  }
}

function entryBytes(entry: CacheEntry): number {
  return ENTRY_OVERHEAD_BYTES + entry.logits.byteLength;
}

/** A row that is a view into a batch's buffer would keep the whole buffer alive. */
function compact(entry: CacheEntry): CacheEntry {
  const { logits } = entry;
  return logits.byteLength === logits.buffer.byteLength ? entry : { ...entry, logits: logits.slice() };
}
