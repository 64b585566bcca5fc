import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { fileTrouble } from '../file-trouble.js';
import { OutputClosedError } from '../usage-error.js';

/** Writes lines no faster than they are taken. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #path: string | undefined;
  #failure: Error | undefined;

  private constructor(stream: Writable, path: string | undefined) {
    this.#stream = stream;
    this.#path = path;
    stream.on('error', (error) => {
      this.#failure = error;
    });
  }

  static to(stream: Writable): LineWriter {
    return new LineWriter(stream, undefined);
  }

  /** Creates the file, or empties it. @throws UsageError */
  static async toFile(path: string): Promise<LineWriter> {
    const stream = createWriteStream(path);
    try {
      await once(stream, 'open');
    } catch (error) {
      throw fileTrouble('write', path, error);
    }
    return new LineWriter(stream, path);
  }

  /** @throws OutputClosedError when the reader of a pipe has gone; UsageError when a file cannot be written */
  async write(line: string): Promise<void> {
    this.#check();
    if (this.#stream.write(`${line}\n`)) return;
    await drained(this.#stream);
    this.#check();
  }

  /** Waits until a file is written. Leaves a stream that was given open: it is its owner's. */
  async close(): Promise<void> {
    if (this.#path !== undefined) {
      this.#stream.end();
      await finished(this.#stream).catch(() => undefined);
    }
    this.#check();
  }

  #check(): void {
    if (this.#failure === undefined) return;
    if (this.#path !== undefined) throw fileTrouble('write', this.#path, this.#failure);
    throw new OutputClosedError(this.#failure.message);
  }
}

/** Resolves when the stream takes more, or never will again. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'error', 'close'] as const;
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
