import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { writeTrouble } from '../file-trouble.js';
import { type Output, openOutput } from './open-output.js';

/** Writes lines no faster than the reader takes them, and loses none silently. */
export class LineWriter {
  readonly #stream: Writable;
  /** The stream that this writer opened and will end; undefined for standard output. */
  readonly #file: { readonly path: string; readonly output: Output } | undefined;
  #failure: { readonly error: unknown } | undefined;

  private constructor(stream: Writable, file?: { readonly path: string; readonly output: Output }) {
    this.#stream = stream;
    this.#file = file;
    stream.on('error', (error) => this.#fail(error));
  }

  /** For standard output, which stays open. */
  static to(stream: Writable): LineWriter {
    return new LineWriter(stream);
  }

  /** Creates the file, or empties it; waits for the reader of a pipe. @throws as `openOutput` does */
  static async toFile(path: string, signal: AbortSignal): Promise<LineWriter> {
    const output = await openOutput(path, signal);
    return new LineWriter(output, { path, output });
  }

  /** Writes the lines and waits until they are out. @throws as `write` does */
  static async print(stream: Writable, lines: readonly string[]): Promise<void> {
    const writer = LineWriter.to(stream);
    for (const line of lines) await writer.write(line);
    await writer.close();
  }

  /** @throws OutputClosedError when the reader of a pipe has left; OutputFailedError for any other failure */
  async write(line: string): Promise<void> {
    this.#check();
    if (this.#stream.write(`${line}\n`)) return;
    await drained(this.#stream);
    this.#check();
  }

  /** Waits until everything is written: an accepted line may still fail. @throws as `write` does */
  async close(): Promise<void> {
    if (this.#file !== undefined) {
      this.#stream.end();
      await finished(this.#stream).catch((error: unknown) => this.#fail(error));
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
    throw writeTrouble(this.#file.path, error, this.#file.output.bytesWritten);
  }
}

/** Resolves when the stream accepts more, or never will again. */
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
