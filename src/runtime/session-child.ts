import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Reply } from './frames.js';
import { readLines } from './read-lines.js';
import { ReplyReader } from './reply-reader.js';
import { sessionEnvironment } from './session-environment.js';
import { CHANNEL_FD, type SessionLaunch } from './session-launch.js';

const ENTRY = fileURLToPath(new URL('./session-process.js', import.meta.url));

/** A process that waits in the kernel for a hanging GPU driver cannot be killed: after this time it counts as gone. */
const KILL_GRACE_MS = 2000;

/** Events of a session process. */
export interface SessionChildEvents {
  onReply(reply: Reply): void;
  /** A line printed by the process or a library in it. */
  onOutput(line: string, pid: number | undefined): void;
}

/**
 * The server's handle of a session process: it starts, writes to and kills the process, which ends once, with a reason
 * in words.
 */
export class SessionChild {
  /** Settles once the process is gone and everything it sent has been read. Never rejects. */
  readonly gone: Promise<string>;
  readonly #process: ChildProcess;
  readonly #channel: Socket;
  #killedBecause: string | undefined;
  #giveUp: (reason: string) => void = () => {};

  constructor(launch: SessionLaunch, events: SessionChildEvents) {
    this.#process = spawn(process.execPath, [ENTRY, JSON.stringify(launch)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: sessionEnvironment(process.env),
    });
    this.gone = new Promise((resolve) => {
      this.#giveUp = resolve;
      this.#process.on('error', (error) => {
        if (this.pid === undefined) resolve(`could not be started: ${error.message}`);
      });
      this.#process.once('close', (code, signal) => {
        resolve(
          this.#killedBecause ?? (signal === null ? `exited with code ${code}` : `killed by ${signal}`),
        );
      });
    });
    // A process that could not start may have no streams; its 'error' event says why.
    const streams: readonly unknown[] | undefined = this.#process.stdio;
    const channel = streams?.[CHANNEL_FD];
    this.#channel = channel instanceof Socket ? channel : new Socket();
    const reader = new ReplyReader(
      (reply) => events.onReply(reply),
      () => this.kill('sent an invalid answer and was killed'),
    );
    this.#channel.on('data', (chunk: Buffer) => reader.push(chunk));
    // A broken pipe means that the process is gone, and 'close' reports that with the reason.
    this.#channel.on('error', () => {});
    const onLine = (line: string) => events.onOutput(line, this.pid);
    readLines(this.#process.stdout, onLine);
    readLines(this.#process.stderr, onLine);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends the bytes, which must not change before the process has answered them. */
  write(bytes: Uint8Array): void {
    this.#channel.write(bytes);
  }

  /** Tells the process to finish: it answers the batch under way, releases the session and exits. */
  finish(): void {
    this.#channel.end();
  }

  /** Ends the process at once. `gone` reports the first reason given. */
  kill(reason: string): void {
    this.#killedBecause ??= reason;
    this.#process.kill('SIGKILL');
    setTimeout(() => this.#giveUp(`${this.#killedBecause}, but does not end`), KILL_GRACE_MS).unref();
  }
}
