import { PassThrough, Readable, Writable } from 'node:stream';
import type { CliContext, Terminal } from '../../../src/cli/context.js';

export interface FakeContext extends CliContext {
  /** What was written so far. */
  out(): string;
  err(): string;
  /** Ctrl-C. */
  interrupt(): void;
}

interface FakeOptions {
  readonly stdin?: string | Readable;
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** What standard output is, where the test does not only want to read it. */
  readonly stdout?: Writable;
}

/** The process as a command sees it, in memory. */
export function fakeContext({ stdin, isTTY = false, env = {}, stdout }: FakeOptions = {}): FakeContext {
  const out = new Sink(isTTY);
  const err = new Sink(false);
  const controller = new AbortController();
  return {
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : (stdin ?? new PassThrough()),
    stdout: stdout ?? out,
    stderr: err,
    env: (name) => env[name],
    interruption: () => controller.signal,
    out: () => out.text,
    err: () => err.text,
    interrupt: () => controller.abort(),
  };
}

class Sink extends Writable implements Terminal {
  text = '';
  readonly columns = 60;

  constructor(readonly isTTY: boolean) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, callback: () => void): void {
    this.text += chunk;
    callback();
  }
}
