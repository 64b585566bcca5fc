import cliProgress from 'cli-progress';

/** Where progress goes: standard error, in production. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** What runs now: a bar on a terminal, plain lines elsewhere. */
export class Progress {
  readonly #stream: ProgressStream;
  #bar: cliProgress.SingleBar | undefined;
  #expected = 0;
  #done = 0;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  /** A scenario begins. */
  start(title: string): void {
    this.stop();
    this.#expected = 0;
    this.#done = 0;
    this.#stream.write(`\n# ${title}\n`);
    if (this.#stream.isTTY !== true) return;
    this.#bar = new cliProgress.SingleBar(
      {
        format: '{bar} {value}/{total} | {note}',
        stream: this.#stream,
        clearOnComplete: true,
        hideCursor: true,
      },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(1, 0, { note: 'starting' });
  }

  /** Announces so many more steps. */
  expect(steps: number): void {
    this.#expected += steps;
    this.#bar?.setTotal(this.#expected);
  }

  /** A step is done. */
  advance(line: string): void {
    this.#done++;
    if (this.#bar === undefined) this.note(line);
    else this.#bar.update(Math.min(this.#done, this.#expected), { note: line });
  }

  /** Says something that is no step. */
  note(line: string): void {
    if (this.#bar === undefined) this.#stream.write(`${line}\n`);
    else this.#bar.update({ note: line });
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
