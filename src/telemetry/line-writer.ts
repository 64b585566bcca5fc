import { writeSync, write as writeToFile } from 'node:fs';

const batchChars = 32_768;
const flushIntervalMs = 200;
const maxWaitingChars = 4 * 1024 * 1024;
const retryMs = 20;
const exitRetries = 25;

/** Writes bytes to a file descriptor and says how many it took; `fs.write` is one. */
export type WriteBytes = (
  fd: number,
  bytes: Uint8Array,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/**
 * Writes lines to a file descriptor without ever making the caller wait: gathered, one write under way at a time, at
 * most 200 ms late. A reader that stalls, a closed pipe and a full disk cost lines, which are counted, and nothing
 * else. Pino's own destination is not used because its flush at exit spins for ever on a closed pipe.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #write: WriteBytes;
  #waiting: string[] = [];
  #waitingChars = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #watchesExit = false;
  readonly #atExit = () => this.#flushAtExit();

  constructor(fd: number, write: WriteBytes = writeToFile) {
    this.#fd = fd;
    this.#write = write;
  }

  /** Lines lost so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line, its line feed included. */
  write(line: string): void {
    if (this.#waitingChars + line.length > maxWaitingChars) {
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

  /** Writes out what waits, for at most `timeoutMs`. Lines that come later are still written. */
  async close(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    if (this.#writing === undefined && this.#waiting.length > 0) this.#start();
    await Promise.race([this.#writing, timeout]);
    clearTimeout(timer);
    if (this.#waiting.length > 0) return;
    process.off('exit', this.#atExit);
    this.#watchesExit = false;
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
      const { bytes, lines } = this.#take();
      let rest = bytes;
      while (rest.length > 0) {
        const { error, written } = await this.#writeOnce(rest);
        if (error?.code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, retryMs));
        else if (error !== null) {
          this.#dropped += lines;
          break;
        }
        rest = rest.subarray(written);
      }
    }
  }

  #writeOnce(bytes: Uint8Array): Promise<{ error: NodeJS.ErrnoException | null; written: number }> {
    return new Promise((resolve) => {
      this.#write(this.#fd, bytes, (error, written) => resolve({ error, written: error ? 0 : written }));
    });
  }

  #take(): { bytes: Uint8Array; lines: number } {
    const taken = { bytes: Buffer.from(this.#waiting.join('')), lines: this.#waiting.length };
    this.#waiting = [];
    this.#waitingChars = 0;
    return taken;
  }

  /** Nothing asynchronous happens any more: a last try, which gives up rather than hang. */
  #flushAtExit(): void {
    let rest = this.#take().bytes;
    for (let tries = 0; rest.length > 0 && tries < exitRetries; ) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        tries++;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
      }
    }
  }
}
