import { type Cluster, type Redis, ReplyError } from 'ioredis';
import { Breaker } from './breaker.js';
import { type ClientOptions, createClient } from './create-client.js';
import type { RedisFailure, RedisHooks } from './types.js';

export interface RedisConnectionOptions extends Omit<ClientOptions, 'random'> {
  /** Default: Math.random. */
  readonly random?: () => number;
  /** Failures in a row that open the breaker; see Breaker for what counts. Default 3. */
  readonly failureThreshold?: number;
  /** How long the breaker stays open the first time, in milliseconds. Default 200. */
  readonly breakerBackoffMs?: number;
  /** The longest it stays open between probes, in milliseconds. Default 5000. */
  readonly breakerMaxBackoffMs?: number;
  /** A clock in milliseconds for the breaker. Default: performance.now. */
  readonly now?: () => number;
}

const CLOSE_TIMEOUT_MS = 500;
const MAX_MESSAGE_CHARS = 200;
const MAX_REPORTED = 20;

/**
 * The one connection to Redis, optional by nature: it never blocks or fails the start, comes back by itself, and
 * none of its commands rejects or takes longer than the command timeout. While there is no connection, or the
 * breaker is open, commands are skipped at no cost.
 */
export class RedisConnection {
  readonly #client: Redis | Cluster;
  readonly #breaker: Breaker;
  readonly #commandTimeoutMs: number;
  readonly #hooks: RedisHooks;
  #up = false;
  readonly #reported = new Set<string>();

  /** @throws Error for an impossible URL or mode; its message holds no credentials */
  constructor(options: RedisConnectionOptions, hooks: RedisHooks = {}) {
    this.#hooks = hooks;
    this.#commandTimeoutMs = options.commandTimeoutMs;
    this.#client = createClient({ ...options, random: options.random ?? Math.random });
    this.#breaker = new Breaker({
      failureThreshold: options.failureThreshold ?? 3,
      initialBackoffMs: options.breakerBackoffMs ?? 200,
      maxBackoffMs: options.breakerMaxBackoffMs ?? 5000,
      now: options.now ?? (() => performance.now()),
      onState: (state) => hooks.onBreaker?.(state),
    });
    this.#client.on('ready', () => this.#onUp());
    this.#client.on('close', () => this.#onDown());
    this.#client.on('end', () => this.#onDown());
    this.#client.on('error', (error: Error) => this.#report(error));
  }

  /** Begins to connect, and returns at once. */
  start(): void {
    // A failure is an 'error' event too, and the client tries again by itself.
    this.#client.connect().catch(() => {});
  }

  /** Whether there is a connection over which commands can be sent. */
  get up(): boolean {
    return this.#up;
  }

  /**
   * The value under the key, of which at most the first `maxBytes` travel; empty where there is none; `wrong_type` where it
   * is no string; or why that cannot be told. Never rejects.
   */
  get(key: string, maxBytes: number): Promise<Buffer | 'wrong_type' | RedisFailure> | 'skipped' {
    return this.#send(async () => {
      try {
        // The server counts the last byte in.
        return await this.#client.getrangeBuffer(key, 0, maxBytes - 1);
      } catch (error) {
        if (error instanceof ReplyError && String(error).includes('WRONGTYPE ')) return 'wrong_type';
        throw error;
      }
    });
  }

  /** Stores a value that lives for `ttlMs`. Never rejects. */
  set(key: string, value: Buffer, ttlMs: number): Promise<'OK' | RedisFailure> | 'skipped' {
    return this.#send(async (): Promise<'OK'> => {
      await this.#client.set(key, value, 'PX', ttlMs);
      return 'OK';
    });
  }

  /** Ends the connection without waiting for a server that hangs. */
  async close(): Promise<void> {
    this.#client.disconnect();
    if (!this.#up) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      this.#client.once('end', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #send<T>(command: () => Promise<T>): Promise<T | RedisFailure> | 'skipped' {
    if (!this.#up) return 'skipped';
    const pass = this.#breaker.tryPass();
    if (pass === undefined) return 'skipped';
    return new Promise((resolve) => {
      // Commands wait for the pipeline before them, so ioredis's own limit could cost a caller twice the time.
      let timer: NodeJS.Timeout | undefined = setTimeout(() => {
        timer = undefined;
        this.#breaker.failed(pass);
        resolve('timeout');
      }, this.#commandTimeoutMs);
      const settle = (outcome: T | RedisFailure, answered: boolean): void => {
        if (timer === undefined) return;
        clearTimeout(timer);
        if (answered) this.#breaker.succeeded(pass);
        else this.#breaker.failed(pass);
        resolve(outcome);
      };
      begin(command).then(
        (value) => settle(value, true),
        (error: unknown) => {
          this.#report(error);
          // A server that refuses a command is alive.
          settle('error', error instanceof ReplyError);
        },
      );
    });
  }

  #onUp(): void {
    this.#up = true;
    this.#reported.clear();
    this.#breaker.probeSoon();
    this.#hooks.onConnection?.(true);
  }

  #onDown(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#hooks.onConnection?.(false);
  }

  /** Says each error once per connection: attempts to connect repeat themselves, and so do failing commands. */
  #report(error: unknown): void {
    const message = describe(error);
    if (this.#reported.has(message) || this.#reported.size === MAX_REPORTED) return;
    this.#reported.add(message);
    this.#hooks.onError?.(message);
  }
}

/** ioredis throws at once where a cluster has no node for a slot. */
async function begin<T>(command: () => Promise<T>): Promise<T> {
  return command();
}

/** Redis repeats the arguments of a command that it does not know, so what follows is cut off. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [safe = ''] = message.split(/,? with args|\n/);
  return safe.slice(0, MAX_MESSAGE_CHARS);
}
