import { closeSync, constants, openSync } from 'node:fs';
import type { BatcherHooks } from '../batching/types.js';
import { LineWriter } from './line-writer.js';

const { O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK } = constants;

/** How long the end of the process waits for the last lines. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface ArrivalTraceOptions {
  /** Overwritten at the start. */
  readonly path: string;
  /** Recording ends before the file is larger. */
  readonly maxBytes: number;
  /** The batcher's clock, in milliseconds. */
  readonly now?: () => number;
}

/**
 * Records the inputs that arrive at the batchers, for `verdict bench simulate --trace`: times, lengths, classes, flows
 * as numbers, deadlines; never a text. Nothing waits for the file: lines are gathered and written later, and lost if
 * the disk does not keep up.
 */
export class ArrivalTrace {
  readonly #fd: number;
  readonly #writer: LineWriter;
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** Numbers of flows; forgotten with them. */
  readonly #flows = new WeakMap<object, number>();
  #flowCount = 0;
  /** When the first input came. */
  #startedAt: number | undefined;
  #bytes = 0;
  #isFull = false;

  /** @throws the file system's error if the file cannot be opened */
  constructor({ path, maxBytes, now = () => performance.now() }: ArrivalTraceOptions) {
    // Non-blocking: a pipe without a reader fails at once.
    this.#fd = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0o600);
    this.#writer = new LineWriter(this.#fd);
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** The hook that records the inputs of one model's batcher. */
  hook(model: string): NonNullable<BatcherHooks['onArrival']> {
    return ({ tokens, serviceClass, flow, deadlineAt, whenFull }) => {
      if (this.#isFull) return;
      const now = this.#now();
      this.#startedAt ??= now;
      const patience = deadlineAt === Number.POSITIVE_INFINITY ? '' : `,"deadlineMs":${ms(deadlineAt - now)}`;
      const member = flow === undefined ? '' : `,"flow":${this.#flowNumber(flow)}`;
      // Names of models need no escaping. Everything is ASCII, so characters are bytes.
      const line = `{"atMs":${ms(now - this.#startedAt)},"model":"${model}","tokens":${tokens},"class":"${serviceClass}"${member}${patience},"whenFull":"${whenFull}"}\n`;
      this.#bytes += line.length;
      this.#isFull = this.#bytes > this.#maxBytes;
      if (!this.#isFull) this.#writer.write(line);
    };
  }

  async close(): Promise<void> {
    this.#isFull = true;
    await this.#writer.close(CLOSE_TIMEOUT_MS);
    closeSync(this.#fd);
  }

  #flowNumber(flow: object): number {
    let number = this.#flows.get(flow);
    if (number === undefined) {
      number = ++this.#flowCount;
      this.#flows.set(flow, number);
    }
    return number;
  }
}

/** To the microsecond; an input that arrives late has no time left. */
function ms(value: number): number {
  return Math.max(0, Math.round(value * 1_000) / 1_000);
}
