import type { Terminal } from '../context.js';
import type { RowResult } from '../row-result.js';
import { whole } from './counted.js';
import { jsonLine } from './json-line.js';
import { LineWriter } from './line-writer.js';
import { resultLines, singleResult } from './result-table.js';
import { widthOf } from './table.js';

/** Where results go. */
export interface ResultSink {
  write(result: RowResult): Promise<void>;
  close(): Promise<void>;
}

/** A line of JSON for every result. */
export class JsonSink implements ResultSink {
  readonly #writer: LineWriter;

  constructor(writer: LineWriter) {
    this.#writer = writer;
  }

  write(result: RowResult): Promise<void> {
    return this.#writer.write(jsonLine(result));
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/** A table of the first results on a terminal; a single result is shown in full. */
export class ScreenSink implements ResultSink {
  readonly #writer: LineWriter;
  readonly #width: number;
  readonly #most: number;
  readonly #first: RowResult[] = [];
  #others = 0;

  constructor(terminal: Terminal, most: number) {
    this.#writer = LineWriter.to(terminal);
    this.#width = widthOf(terminal);
    this.#most = most;
  }

  async write(result: RowResult): Promise<void> {
    if (this.#first.length < this.#most) this.#first.push(result);
    else this.#others++;
  }

  async close(): Promise<void> {
    const [only, ...more] = this.#first;
    if (only === undefined) return;
    const lines =
      more.length === 0 && this.#others === 0
        ? singleResult(only, this.#width)
        : resultLines(this.#first, this.#width);
    for (const line of lines) await this.#writer.write(line);
    if (this.#others > 0) {
      await this.#writer.write(
        `... and ${whole(this.#others)} more; --output FILE or a pipe shows all of them`,
      );
    }
    await this.#writer.close();
  }
}
