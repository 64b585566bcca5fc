import { constants, gunzip, gunzipSync, inflate, inflateSync, type ZlibOptions } from 'node:zlib';

/** The encodings that messages may have, besides none. */
export type Encoding = 'gzip' | 'deflate';

/** Why a message does not inflate: more than allowed, or not what its encoding says. */
export type InflateFailure = 'too-large' | 'malformed';

export type Inflated = (result: Buffer | InflateFailure) => void;

/** Compressed bytes that are inflated in the turn of their arrival: up to a fifth of a megabyte comes of them. */
const maxInTurnBytes = 1024;

/** Messages inflated at once outside the main thread. libuv's pool has four threads, and files need some of them. */
const maxUnderWay = 2;

interface Job {
  readonly body: Buffer;
  readonly encoding: Encoding;
  readonly maxBytes: number;
  readonly done: Inflated;
}

/**
 * Inflates the messages of all streams of a server. Small ones in the turn; large ones on libuv's threads, a bounded number
 * at a time, the connections in turn, so that one that brings many holds up only itself.
 */
export class Inflater {
  readonly #waiting = new Map<object, Job[]>();
  #underWay = 0;

  /**
   * @param connection whose message it is
   * @param maxBytes how long it may become
   * @param done called once, perhaps in this turn
   */
  inflate(connection: object, job: Job): void {
    if (job.body.length <= maxInTurnBytes) {
      job.done(inflated(job));
      return;
    }
    const others = this.#waiting.get(connection);
    if (others === undefined) this.#waiting.set(connection, [job]);
    else others.push(job);
    this.#next();
  }

  #next(): void {
    while (this.#underWay < maxUnderWay) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const [connection, jobs] = first;
      const job = jobs.shift();
      this.#waiting.delete(connection);
      if (jobs.length > 0) this.#waiting.set(connection, jobs);
      if (job === undefined) continue;
      this.#underWay++;
      const run = job.encoding === 'gzip' ? gunzip : inflate;
      run(job.body, { maxOutputLength: job.maxBytes }, (error, result) => {
        this.#underWay--;
        job.done(error === null ? result : failureOf(error));
        this.#next();
      });
    }
  }
}

/** What the first bytes of a compressed message inflate to, to see what was in one that grew too long. */
export function inflatedStart(body: Buffer, encoding: Encoding): Buffer {
  const start = body.subarray(0, 128);
  try {
    // No more than 1,032 bytes come of one; without the flush, the missing end would be an error.
    return inflateNow(start, encoding, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

function inflated({ body, encoding, maxBytes }: Job): Buffer | InflateFailure {
  try {
    return inflateNow(body, encoding, { maxOutputLength: maxBytes });
  } catch (error) {
    return failureOf(error);
  }
}

function inflateNow(body: Buffer, encoding: Encoding, options: ZlibOptions): Buffer {
  return encoding === 'gzip' ? gunzipSync(body, options) : inflateSync(body, options);
}

function failureOf(error: unknown): InflateFailure {
  const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
  return isTooLarge ? 'too-large' : 'malformed';
}
