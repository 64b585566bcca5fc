import {
  constants,
  createGunzip,
  createInflate,
  type Gunzip,
  gunzipSync,
  type Inflate,
  inflateSync,
  type ZlibOptions,
} from 'node:zlib';

/** The encodings that messages may have, besides none. */
export type Encoding = 'gzip' | 'deflate';

/** Why a message does not inflate: more than allowed, or not what its encoding says. */
export type InflateFailure = 'too-large' | 'malformed';

export type Inflated = (result: Buffer | InflateFailure) => void;

/** Messages of up to this many compressed bytes are inflated at once: they become a fifth of a megabyte at most. */
const maxInTurnBytes = 1024;

/** Messages inflated at once outside the main thread. libuv's pool has four threads, and files need some of them. */
const maxUnderWay = 2;

/** A long message is inflated in parts, so that it can be abandoned between them. */
const sliceBytes = 64 * 1024;

/**
 * A compressor makes a message hardly longer, so each part must inflate to at least half its length. Otherwise the message is
 * refused: blocks that hold nothing would cost a tenth of a second per message.
 */
export const leastOfSlices = 0.5;

interface Job {
  readonly body: Buffer;
  readonly encoding: Encoding;
  readonly maxBytes: number;
  readonly done: Inflated;
}

/**
 * Inflates the messages of all streams of a server: small ones at once, large ones on libuv's threads, a limited number at a time.
 * Callers take turns, so a caller with many messages delays only itself.
 */
export class Inflater {
  readonly #waiting = new Map<object, Set<Inflation>>();
  #underWay = 0;

  /**
   * @param caller whose message it is
   * @param job.maxBytes how long it may become
   * @param job.done called once, perhaps before this returns; never after the job was abandoned
   * @returns abandons the job
   */
  inflate(caller: object, job: Job): () => void {
    if (job.body.length <= maxInTurnBytes) {
      job.done(inflated(job));
      return () => {};
    }
    const inflation = new Inflation(job);
    const others = this.#waiting.get(caller);
    if (others === undefined) this.#waiting.set(caller, new Set([inflation]));
    else others.add(inflation);
    this.#next();
    return () => {
      const jobs = this.#waiting.get(caller);
      if (jobs?.delete(inflation) !== true) inflation.giveUp();
      else if (jobs.size === 0) this.#waiting.delete(caller);
    };
  }

  #next(): void {
    while (this.#underWay < maxUnderWay) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const [caller, jobs] = first;
      const [inflation] = jobs;
      this.#waiting.delete(caller);
      if (inflation === undefined) continue;
      jobs.delete(inflation);
      if (jobs.size > 0) this.#waiting.set(caller, jobs);
      this.#underWay++;
      inflation.start(() => {
        this.#underWay--;
        this.#next();
      });
    }
  }
}

/** One message on libuv's threads, part by part. */
class Inflation {
  readonly #job: Job;
  readonly #chunks: Buffer[] = [];
  #stream: Gunzip | Inflate | undefined;
  #consumed = 0;
  #produced = 0;
  #isSettled = false;

  constructor(job: Job) {
    this.#job = job;
  }

  /** @param onGone called when the threads have finished with it */
  start(onGone: () => void): void {
    const { encoding, maxBytes } = this.#job;
    const create = encoding === 'gzip' ? createGunzip : createInflate;
    const stream = create({ chunkSize: sliceBytes });
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#produced += chunk.length;
      if (this.#produced > maxBytes) this.#settle('too-large');
      else this.#chunks.push(chunk);
    });
    stream.on('error', () => this.#settle('malformed'));
    stream.on('end', () => this.#settle(Buffer.concat(this.#chunks, this.#produced)));
    stream.on('close', onGone);
    this.#writeOn();
  }

  giveUp(): void {
    this.#isSettled = true;
    this.#chunks.length = 0;
    this.#stream?.destroy();
  }

  #writeOn(): void {
    const { body } = this.#job;
    if (this.#isSettled) return;
    if (this.#produced < leastOfSlices * (this.#consumed - sliceBytes)) {
      this.#settle('malformed');
      return;
    }
    const slice = body.subarray(this.#consumed, this.#consumed + sliceBytes);
    this.#consumed += slice.length;
    if (this.#consumed === body.length) this.#stream?.end(slice);
    else this.#stream?.write(slice, (error) => (error ? undefined : this.#writeOn()));
  }

  #settle(result: Buffer | InflateFailure): void {
    if (this.#isSettled) return;
    this.giveUp();
    this.#job.done(result);
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
