import type { Encoding } from '../tokenizer/types.js';
import { SessionLostError, SessionOutOfMemoryError, SessionRunError } from './errors.js';
import { type Reply, ReplyKind } from './frames.js';
import { RequestWriter } from './request-writer.js';
import type { SessionChild } from './session-child.js';
import type { RunResult, Session, SessionInfo } from './types.js';

export interface HostedSessionLimits {
  /** A run longer than this is taken for a hang, and the process is killed: a run cannot be cancelled. */
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

  constructor(child: SessionChild, info: SessionInfo, limits: HostedSessionLimits) {
    this.#child = child;
    this.info = info;
    this.#limits = limits;
    this.#writer = new RequestWriter(info.inputs.includes('token_type_ids'));
    this.lost = child.gone.then((reason) => {
      this.#goneBecause = this.#closing === undefined ? reason : 'closed';
      this.#take()?.reject(new SessionLostError(`session process ${info.pid} ${reason}`));
      return this.#goneBecause;
    });
  }

  run(encodings: readonly Encoding[], limitMs = this.#limits.runTimeoutMs): Promise<RunResult> {
    if (encodings.length === 0) return Promise.reject(new Error('a batch has at least one row'));
    const goneBecause = this.#goneBecause ?? (this.#closing === undefined ? undefined : 'closed');
    if (goneBecause !== undefined) {
      return Promise.reject(new SessionLostError(`session process ${this.info.pid} ${goneBecause}`));
    }
    if (this.#run !== undefined) return Promise.reject(new Error('a session runs one batch at a time'));
    const result = new Promise<RunResult>((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(limitMs), limitMs);
      this.#run = { rows: encodings.length, timer, resolve, reject };
    });
    this.#settled = result.catch(() => {});
    this.#child.write(this.#writer.write(encodings));
    return result;
  }

  /** Takes in what the process answered. */
  accept(reply: Reply): void {
    const { labelCount } = this.info;
    const rows = this.#run?.rows ?? 0;
    if (!isSound(reply, rows * labelCount)) {
      this.#child.kill('gave an answer that is none and was killed');
      return;
    }
    const run = this.#take();
    if (run === undefined) return;
    if (reply.kind === ReplyKind.logits) {
      run.resolve({ logits: rowsOf(reply.payload, rows, labelCount), runMs: reply.ms });
      return;
    }
    // An Error, since logs tell the words of errors alone: anything else that is thrown may be a caller's text.
    const cause = new Error(Buffer.from(reply.payload).toString());
    run.reject(
      reply.kind === ReplyKind.outOfMemory
        ? new SessionOutOfMemoryError('the batch did not fit the memory', { cause })
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
    // When this process itself was held up, the answer may lie in the socket, unread: the loop reads it before
    // immediates run.
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

/** A copy of its own for every row, so that a cached row does not keep its batch's memory. */
function rowsOf(payload: Uint8Array, rows: number, width: number): Float32Array[] {
  const all = new Float32Array(payload.buffer, payload.byteOffset, rows * width);
  return Array.from({ length: rows }, (_, row) => all.slice(row * width, (row + 1) * width));
}
