import { writeSync, write as writeToFile } from 'node:fs';

const batchChars = 32_768;
const flushIntervalMs = 200;
const maxWaitingChars = 4 * 1024 * 1024;
const retryMs = 20;
const exitRetries = 25;
const lineFeed = 10;

/** Writes bytes to a file descriptor and says how many it took; `fs.write` is one. */
export type WriteBytes = (
  fd: number,
  bytes: Uint8Array,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/**
 * Writes lines to a file descriptor without ever making the caller wait: it gathers lines, has one write under way at a
 * time, and is at most 200 ms late. A stalled reader, a closed pipe or a full disk only loses lines, which are counted,
 * and does not keep the process from ending. Pino's own destination is not used because its flush at exit spins for
 * ever on a closed pipe.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #write: WriteBytes;
  #waiting: string[] = [];
  #waitingChars = 0;
  /** The bytes being written. */
  #rest: Uint8Array = new Uint8Array();
  /** A write has started and not returned. */
  #inFlight = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #watchesExit = false;
  #abandoned = false;
  readonly #atExit = () => this.#flushAtExit();

  constructor(fd: number, write: WriteBytes = writeToFile) {
    this.#fd = fd;
    this.#write = write;
  }

  /** Lines lost so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `close` gave up on a write that holds a thread of this process: the process cannot end by itself. */
  get isStuck(): boolean {
    return this.#abandoned && this.#inFlight;
  }

  /** Takes a line, including its line feed. */
  write(line: string): void {
    if (this.#abandoned || this.#waitingChars + line.length > maxWaitingChars) {
      this.#dropped++;
      return;
    }
    if (!this.#watchesExit) {
      this.#watchesExit = true;
      process.on('exit', this.#atExit);
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    if (this.#writing !== undefined) return;
    if (this.#waitingChars >= batchChars) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), flushIntervalMs).unref();
  }

  /**
   * Writes the waiting lines. Later lines are still written, unless `timeoutMs` was too short: then the remaining and
   * all later lines are lost. A write under way gets the same time again to return.
   */
  async close(timeoutMs: number): Promise<void> {
    if (this.#writing === undefined && this.#waiting.length > 0) this.#start();
    await this.#written(timeoutMs);
    if (this.#writing !== undefined) {
      this.#abandoned = true;
      this.#dropRest();
      this.#dropped += this.#waiting.length;
      this.#waiting = [];
      this.#waitingChars = 0;
      // On a busy machine a write that never waits may be under way just now. One that is stuck does not return.
      if (this.#inFlight) await this.#written(timeoutMs);
    }
    process.off('exit', this.#atExit);
    this.#watchesExit = false;
  }

  /** Resolves when nothing is being written, or when the time is over. */
  async #written(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#writing, timeout]);
    clearTimeout(timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#rest = this.#take();
      while (this.#rest.length > 0) {
        const { error, written } = await this.#writeOnce(this.#rest);
        // Unreferenced: a stalled reader does not keep the process alive.
        if (error?.code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
        else if (error !== null) this.#dropRest();
        else this.#rest = this.#rest.subarray(written);
      }
    }
  }

  #writeOnce(bytes: Uint8Array): Promise<{ error: NodeJS.ErrnoException | null; written: number }> {
    this.#inFlight = true;
    return new Promise((resolve) => {
      this.#write(this.#fd, bytes, (error, written) => {
        this.#inFlight = false;
        resolve({ error, written: error ? 0 : written });
      });
    });
  }

  /** All waiting lines, as one buffer to write. */
  #take(): Uint8Array {
    const taken = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingChars = 0;
    return taken;
  }

  #dropRest(): void {
    for (const byte of this.#rest) if (byte === lineFeed) this.#dropped++;
    this.#rest = new Uint8Array();
  }

  /** Nothing asynchronous runs any more: a last attempt, which gives up rather than hangs. */
  #flushAtExit(): void {
    // A write under way finishes by itself before the process ends.
    const rest = this.#inFlight ? [] : [this.#rest];
    this.#rest = Buffer.concat([...rest, this.#take()]);
    for (let tries = 0; this.#rest.length > 0 && tries < exitRetries; ) {
      try {
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        tries++;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
      }
    }
    this.#dropRest();
  }
}
