import type { RedisConnection } from '../redis/redis-connection.js';
import { type EntryFormat, plainFormat } from './entry-format.js';
import type { CacheEntry, CacheHooks, CacheKey, CacheStore, EntryFault, EntryShape } from './types.js';

export interface RedisStoreOptions {
  /** Prefix of every key in Redis. */
  readonly keyPrefix: string;
  /** Default: `plainFormat`. */
  readonly format?: EntryFormat;
  /**
   * How long an entry lives, in milliseconds, plus or minus 10 %: entries that were written together do not expire
   * together.
   */
  readonly ttlMs: number;
  /** Most writes that may wait or be under way. Default 4096. */
  readonly maxPendingWrites?: number;
  /** Most bytes of values that may wait or be under way. Default 8 MiB. */
  readonly maxPendingBytes?: number;
  /** A number in [0, 1). Default: Math.random. */
  readonly random?: () => number;
}

/** What the store needs of its connection. */
type Connection = Pick<RedisConnection, 'accepts' | 'get' | 'set' | 'delete'>;

type PendingRead = Exclude<ReturnType<RedisConnection['get']>, 'skipped'>;

interface PendingWrite {
  readonly key: CacheKey;
  readonly entry: CacheEntry;
}

const TTL_JITTER = 0.1;
const MAX_CONCURRENT_WRITES = 256;
const DEFAULT_MAX_PENDING_WRITES = 4096;
const DEFAULT_MAX_PENDING_BYTES = 8 * 1024 * 1024;

/**
 * The tier that replicas share. Simultaneous reads travel together. Writes wait in a bounded queue until the event loop
 * has answered the waiting callers, and are dropped when the queue is full. A failure is never an error for the caller.
 */
export class RedisStore implements CacheStore {
  readonly #redis: Connection;
  readonly #options: Required<RedisStoreOptions>;
  readonly #hooks: CacheHooks;
  #waiting: PendingWrite[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #pendingBytes = 0;
  #flushScheduled = false;
  #drained: (() => void)[] = [];

  constructor(redis: Connection, options: RedisStoreOptions, hooks: CacheHooks = {}) {
    this.#redis = redis;
    this.#hooks = hooks;
    this.#options = {
      maxPendingWrites: DEFAULT_MAX_PENDING_WRITES,
      maxPendingBytes: DEFAULT_MAX_PENDING_BYTES,
      random: Math.random,
      format: plainFormat,
      ...options,
    };
  }

  /** How long an entry lives at most, rounded up. */
  get longestLifeSeconds(): number {
    return Math.ceil(Math.round(this.#options.ttlMs * (1 + TTL_JITTER)) / 1000);
  }

  /**
   * The entry, after at most one command timeout; at once, without a promise, while Redis is known to be down. Reads at
   * most the size of a valid value plus one byte, whatever the key holds.
   */
  get(key: CacheKey, shape: EntryShape): Promise<CacheEntry | undefined> | undefined {
    const { keyPrefix, format } = this.#options;
    const reply = this.#redis.accepts('read')
      ? this.#redis.get(keyPrefix + format.name(key), format.valueBytes(shape.labelCount) + 1)
      : 'skipped';
    if (reply === 'skipped') {
      this.#hooks.onLookup?.('redis', 'skipped');
      return undefined;
    }
    return this.#decode(key, reply, shape);
  }

  /** Writes later. Returns at once. */
  set(key: CacheKey, entry: CacheEntry): void {
    const { format, maxPendingWrites, maxPendingBytes } = this.#options;
    const bytes = format.valueBytes(entry.logits.length);
    const full = this.#pending >= maxPendingWrites || this.#pendingBytes + bytes > maxPendingBytes;
    if (full || !this.#redis.accepts('write')) {
      this.#hooks.onWrite?.('redis', 'dropped');
      return;
    }
    this.#pendingBytes += bytes;
    this.#waiting.push({ key, entry });
    this.#scheduleFlush();
  }

  /**
   * Removes entries: first those that wait to be written, then, once the writes under way have ended, those in Redis.
   * @returns how many Redis held; undefined if it does not confirm all of them
   */
  async forget(keys: readonly CacheKey[]): Promise<number | undefined> {
    this.#dropWaiting(new Set(keys));
    // One connection keeps the order, but a cluster that moves a slot has a write sent again.
    await Promise.all(this.#underWay);
    const { keyPrefix, format } = this.#options;
    const replies = await Promise.all(
      keys.map(async (key) => this.#redis.delete(keyPrefix + format.name(key))),
    );
    return replies.reduce<number | undefined>(
      (sum, reply) => (sum === undefined || typeof reply !== 'number' ? undefined : sum + reply),
      0,
    );
  }

  /** Waits until all writes are done. Bounded: each write takes at most one command timeout. */
  async drain(): Promise<void> {
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained.push(resolve);
    });
  }

  get #pending(): number {
    return this.#waiting.length + this.#underWay.size;
  }

  async #decode(key: CacheKey, reply: PendingRead, shape: EntryShape): Promise<CacheEntry | undefined> {
    const value = await reply;
    if (value === 'wrong_type') return this.#notBelieved('type');
    if (typeof value === 'string') {
      this.#hooks.onLookup?.('redis', value);
      return undefined;
    }
    // Redis does not distinguish an empty value from none.
    if (value.byteLength === 0) {
      this.#hooks.onLookup?.('redis', 'miss');
      return undefined;
    }
    const decoded = this.#options.format.decode(key, value, shape);
    if (typeof decoded === 'string') return this.#notBelieved(decoded);
    this.#hooks.onLookup?.('redis', 'hit');
    return decoded;
  }

  #notBelieved(fault: EntryFault): undefined {
    this.#hooks.onLookup?.('redis', 'invalid');
    this.#hooks.onInvalid?.('redis', fault);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#underWay.size >= MAX_CONCURRENT_WRITES) return;
    this.#flushScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    for (const write of this.#waiting.splice(0, MAX_CONCURRENT_WRITES - this.#underWay.size)) {
      const written: Promise<void> = this.#write(write).then(() => this.#onWritten(write, written));
      this.#underWay.add(written);
    }
  }

  async #write({ key, entry }: PendingWrite): Promise<void> {
    const { keyPrefix, format, ttlMs, random } = this.#options;
    const jitter = 1 - TTL_JITTER + 2 * TTL_JITTER * random();
    const lifeMs = Math.max(1, Math.round(ttlMs * jitter));
    const outcome = this.#redis.accepts('write')
      ? await this.#redis.set(keyPrefix + format.name(key), format.encode(key, entry), lifeMs)
      : 'skipped';
    this.#hooks.onWrite?.('redis', outcome === 'OK' ? 'ok' : outcome === 'skipped' ? 'dropped' : 'error');
  }

  #onWritten(write: PendingWrite, written: Promise<void>): void {
    this.#underWay.delete(written);
    this.#release(write);
    if (this.#waiting.length > 0) this.#scheduleFlush();
    else this.#endDrainIfDone();
  }

  #dropWaiting(keys: ReadonlySet<CacheKey>): void {
    const dropped = this.#waiting.filter(({ key }) => keys.has(key));
    if (dropped.length === 0) return;
    this.#waiting = this.#waiting.filter(({ key }) => !keys.has(key));
    for (const write of dropped) {
      this.#release(write);
      this.#hooks.onWrite?.('redis', 'dropped');
    }
    this.#endDrainIfDone();
  }

  #release({ entry }: PendingWrite): void {
    this.#pendingBytes -= this.#options.format.valueBytes(entry.logits.length);
  }

  #endDrainIfDone(): void {
    if (this.#pending > 0) return;
    for (const resolve of this.#drained) resolve();
    this.#drained = [];
  }
}
