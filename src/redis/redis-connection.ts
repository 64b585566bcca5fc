import type { Cluster, Redis } from 'ioredis';
import { type Attempt, Breaker, type Pass } from './breaker.js';
import { type ClientOptions, createClient } from './create-client.js';
import { isForbidden, isWrongType, replyClass } from './reply-class.js';
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
 * The one connection to Redis. It is optional: it never blocks or fails the start, it reconnects by itself, and none of
 * its commands rejects or takes longer than the command timeout. Without a connection, or with an open breaker, it
 * skips commands at no cost. A server that answers that it does not serve (see `ReplyClass`) counts as no server.
 */
export class RedisConnection {
  readonly #client: Redis | Cluster;
  readonly #breaker: Breaker;
  readonly #commandTimeoutMs: number;
  readonly #hooks: RedisHooks;
  #connected = false;
  #toldUp = false;
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
    this.#client.on('ready', () => this.#onConnected());
    this.#client.on('close', () => this.#onDisconnected());
    this.#client.on('end', () => this.#onDisconnected());
    this.#client.on('error', (error: Error) => this.#report(error));
  }

  /** Starts to connect, and returns at once. */
  start(): void {
    // A failure also emits an 'error' event, and the client tries again by itself.
    this.#client.connect().catch(() => {});
  }

  /** Whether there is a connection to a server that did not refuse the last command. */
  get up(): boolean {
    return this.#connected && this.#breaker.refused === undefined;
  }

  /** Whether a command would be sent now. */
  accepts(attempt: Attempt): boolean {
    return this.#connected && this.#breaker.mayPass(attempt);
  }

  /**
   * At most the first `maxBytes` of the value under the key; empty if there is none; `wrong_type` if it is not a
   * string; or why there is no answer. Never rejects.
   */
  get(key: string, maxBytes: number): Promise<Buffer | 'wrong_type' | RedisFailure> | 'skipped' {
    return this.#send('read', async () => {
      try {
        // GETRANGE includes the last byte.
        return await this.#client.getrangeBuffer(key, 0, maxBytes - 1);
      } catch (error) {
        if (isWrongType(error)) return 'wrong_type';
        throw error;
      }
    });
  }

  /** Stores a value that lives for `ttlMs`. Never rejects. */
  set(key: string, value: Buffer, ttlMs: number): Promise<'OK' | RedisFailure> | 'skipped' {
    return this.#send('write', async (): Promise<'OK'> => {
      await this.#client.set(key, value, 'PX', ttlMs);
      return 'OK';
    });
  }

  /**
   * Removes a key: 1 if it was there, else 0. A user that may write but not remove gets `error`, which says nothing of the
   * server. Never rejects.
   */
  delete(key: string): Promise<number | RedisFailure> | 'skipped' {
    return this.#send('write', async () => {
      try {
        return await this.#client.del(key);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        this.#report(error);
        return 'error';
      }
    });
  }

  /** Runs a Lua script, which may write; the caller checks what it returns. Never rejects. */
  evaluate(script: string, keys: readonly string[], args: readonly number[]): Promise<unknown> | 'skipped' {
    return this.#send('write', () => this.#client.eval(script, keys.length, ...keys, ...args));
  }

  /** Ends the connection without waiting for a server that hangs. */
  async close(): Promise<void> {
    this.#client.disconnect();
    if (!this.#connected) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      this.#client.once('end', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #send<T>(attempt: Attempt, command: () => Promise<T>): Promise<T | RedisFailure> | 'skipped' {
    if (!this.#connected) return 'skipped';
    const pass = this.#breaker.tryPass(attempt);
    if (pass === undefined) return 'skipped';
    return new Promise((resolve) => {
      let settled = false;
      const settle = (outcome: T | RedisFailure, tell: () => void): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        tell();
        this.#tellUp();
        resolve(outcome);
      };
      // Commands wait for the pipeline before them, so ioredis's own limit could cost a caller twice the time.
      const timer = setTimeout(
        () => settle('timeout', () => this.#breaker.failed(pass)),
        this.#commandTimeoutMs,
      );
      begin(command).then(
        (value) => settle(value, () => this.#breaker.succeeded(pass)),
        (error: unknown) => {
          this.#report(error);
          settle('error', () => this.#judge(error, pass, attempt));
        },
      );
    });
  }

  /** Tells the breaker what an error says about the server. */
  #judge(error: unknown, pass: Pass, attempt: Attempt): void {
    switch (replyClass(error)) {
      case 'answered':
      case 'write_refused':
        this.#breaker.succeeded(pass);
        break;
      case 'wrong_server':
      case 'unusable':
        this.#breaker.refuse(pass, attempt);
        break;
      default:
        this.#breaker.failed(pass);
    }
  }

  #onConnected(): void {
    this.#connected = true;
    // After a refusal we made this connection ourselves, so it does not show that the server has recovered.
    if (this.#breaker.refused === undefined) {
      this.#reported.clear();
      this.#breaker.probeSoon();
    }
    this.#tellUp();
  }

  #onDisconnected(): void {
    this.#connected = false;
    this.#tellUp();
  }

  #tellUp(): void {
    const { up } = this;
    if (up === this.#toldUp) return;
    this.#toldUp = up;
    if (up) this.#reported.clear();
    this.#hooks.onConnection?.(up);
  }

  /** Reports each error once per connection: attempts to connect and failing commands repeat the same errors. */
  #report(error: unknown): void {
    const message = describe(error);
    if (this.#reported.has(message) || this.#reported.size === MAX_REPORTED) return;
    this.#reported.add(message);
    this.#hooks.onError?.(message);
  }
}

/** ioredis throws at once if a cluster has no node for a slot. */
async function begin<T>(command: () => Promise<T>): Promise<T> {
  return command();
}

/** Redis repeats the arguments of an unknown command, so the rest of the message is cut off. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [safe = ''] = message.split(/,? with args|\n/);
  return safe.slice(0, MAX_MESSAGE_CHARS);
}
