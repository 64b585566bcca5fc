import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createTrouble, writeTrouble } from '../file-trouble.js';

/** Writes lines no faster than they are taken, and loses none silently. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #file: WriteStream | undefined;
  #failure: { readonly error: unknown } | undefined;

  private constructor(stream: Writable, file?: WriteStream) {
    this.#stream = stream;
    this.#file = file;
    stream.on('error', (error) => this.#fail(error));
  }

  /** For standard output, which its owner leaves open. */
  static to(stream: Writable): LineWriter {
    return new LineWriter(stream);
  }

  /** Creates the file, or empties it. @throws UsageError */
  static async toFile(path: string): Promise<LineWriter> {
    const stream = createWriteStream(path);
    try {
      await once(stream, 'open');
    } catch (error) {
      throw createTrouble(path, error);
    }
    return new LineWriter(stream, stream);
  }

  /** Writes the lines and waits until they are out. @throws as `write` does */
  static async print(stream: Writable, lines: readonly string[]): Promise<void> {
    const writer = LineWriter.to(stream);
    for (const line of lines) await writer.write(line);
    await writer.close();
  }

  /** @throws OutputClosedError when the reader of a pipe has gone; OutputFailedError for every other failure */
  async write(line: string): Promise<void> {
    this.#check();
    if (this.#stream.write(`${line}\n`)) return;
    await drained(this.#stream);
    this.#check();
  }

  /** Waits until everything is written: a line that was taken may still fail. @throws as `write` does */
  async close(): Promise<void> {
    if (this.#file !== undefined) {
      this.#file.end();
      await finished(this.#file).catch((error: unknown) => this.#fail(error));
    } else if (this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#stream.write('', (error) => {
          if (error) this.#fail(error);
          resolve();
        });
      });
    }
    this.#check();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  #check(): void {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    if (this.#file === undefined) throw writeTrouble('standard output', error);
    throw writeTrouble(String(this.#file.path), error, this.#file.bytesWritten);
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
