import { SessionLostError, SessionOutOfMemoryError, SessionRunError } from './errors.js';
import { type Encoded, type Feed, sentFeeds } from './feeds.js';
import { type Reply, ReplyKind } from './frames.js';
import { RequestWriter } from './request-writer.js';
import type { SessionChild } from './session-child.js';
import type { RunResult, Session, SessionInfo } from './types.js';

export interface HostedSessionLimits {
  /** A longer run counts as a hang, and the process is killed: a run cannot be cancelled. */
  readonly runTimeoutMs: number;
  /** How long the process may take to release its session and exit before it is killed. */
  readonly closeTimeoutMs: number;
}

interface RunUnderWay {
  readonly rows: number;
  readonly timer: NodeJS.Timeout;
  resolve(result: RunResult): void;
  reject(error: Error): void;
}

/** The server's side of an open session. */
export class HostedSession implements Session {
  readonly info: SessionInfo;
  readonly lost: Promise<string>;
  readonly #child: SessionChild;
  readonly #limits: HostedSessionLimits;
  readonly #writer: RequestWriter;
  #run: RunUnderWay | undefined;
  #settled: Promise<unknown> = Promise.resolve();
  #goneBecause: string | undefined;
  #closing: Promise<void> | undefined;

  /** @param feeds those that the session was opened with */
  constructor(child: SessionChild, info: SessionInfo, feeds: readonly Feed[], limits: HostedSessionLimits) {
    this.#child = child;
    this.info = info;
    this.#limits = limits;
    this.#writer = new RequestWriter(sentFeeds(feeds, info.inputs));
    this.lost = child.gone.then((reason) => {
      this.#goneBecause = this.#closing === undefined ? reason : 'closed';
      this.#take()?.reject(new SessionLostError(`session process ${info.pid} ${reason}`));
      return this.#goneBecause;
    });
  }

  run(batch: readonly Encoded[], limitMs = this.#limits.runTimeoutMs): Promise<RunResult> {
    if (batch.length === 0) return Promise.reject(new Error('a batch has at least one row'));
    const goneBecause = this.#goneBecause ?? (this.#closing === undefined ? undefined : 'closed');
    if (goneBecause !== undefined) {
      return Promise.reject(new SessionLostError(`session process ${this.info.pid} ${goneBecause}`));
    }
    if (this.#run !== undefined) return Promise.reject(new Error('a session runs one batch at a time'));
    let request: Uint8Array;
    try {
      request = this.#writer.write(batch);
    } catch (error) {
      return Promise.reject(error);
    }
    const result = new Promise<RunResult>((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(limitMs), limitMs);
      this.#run = { rows: batch.length, timer, resolve, reject };
    });
    this.#settled = result.catch(() => {});
    this.#child.write(request);
    return result;
  }

  /** Handles an answer of the process. */
  accept(reply: Reply): void {
    const { labelCount } = this.info;
    const rows = this.#run?.rows ?? 0;
    if (!isSound(reply, rows * labelCount)) {
      this.#child.kill('sent an invalid answer and was killed');
      return;
    }
    const run = this.#take();
    if (run === undefined) return;
    if (reply.kind === ReplyKind.logits) {
      run.resolve({ logits: rowsOf(reply.payload, rows, labelCount), runMs: reply.ms });
      return;
    }
    // An Error, because logs print only the messages of errors: any other thrown value may be a caller's text.
    const cause = new Error(Buffer.from(reply.payload).toString());
    run.reject(
      reply.kind === ReplyKind.outOfMemory
        ? new SessionOutOfMemoryError('the batch did not fit in memory', { cause })
        : new SessionRunError('ONNX Runtime refused the batch', { cause }),
    );
  }

  kill(reason: string): void {
    this.#child.kill(reason);
  }

  close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close();
    return signal === undefined ? this.#closing : this.#closeBefore(signal, this.#closing);
  }

  async #closeBefore(signal: AbortSignal, closed: Promise<void>): Promise<void> {
    const kill = () => this.#child.kill('was told to end at once');
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    await closed;
    signal.removeEventListener('abort', kill);
  }

  async #close(): Promise<void> {
    this.#child.finish();
    await this.#settled;
    const reason = `took longer than ${this.#limits.closeTimeoutMs} ms to close and was killed`;
    const timer = setTimeout(() => this.#child.kill(reason), this.#limits.closeTimeoutMs);
    await this.#child.gone;
    clearTimeout(timer);
  }

  #take(): RunUnderWay | undefined {
    const run = this.#run;
    this.#run = undefined;
    clearTimeout(run?.timer);
    return run;
  }

  #expire(limitMs: number): void {
    const run = this.#run;
    // If this process itself was delayed, the answer may be in the socket, unread: the loop reads it before immediates
    // run.
    setImmediate(() => {
      if (run === undefined || run !== this.#run) return;
      this.#child.kill(`took longer than ${limitMs} ms over a batch and was killed`);
    });
  }
}

/** A process whose memory is damaged, or whose output went into the wrong pipe, may send anything. */
function isSound({ kind, ms, payload }: Reply, logits: number): boolean {
  if (kind === ReplyKind.logits) return payload.byteLength === logits * 4 && ms >= 0 && Number.isFinite(ms);
  return kind === ReplyKind.failed || kind === ReplyKind.outOfMemory;
}

/** A separate copy of every row, so that a cached row does not keep its batch's memory. */
function rowsOf(payload: Uint8Array, rows: number, width: number): Float32Array[] {
  const all = new Float32Array(payload.buffer, payload.byteOffset, rows * width);
  return Array.from({ length: rows }, (_, row) => all.slice(row * width, (row + 1) * width));
}
