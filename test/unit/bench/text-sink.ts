import { Writable } from 'node:stream';

/** Collects what is written: a terminal, or anything else. */
export class TextSink extends Writable {
  text = '';
  readonly isTTY: boolean;
  /** What cli-progress asks a terminal for. */
  readonly columns = 120;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  cursorTo(): void {}
  clearLine(): void {}
  moveCursor(): void {}
}
