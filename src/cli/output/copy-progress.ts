import cliProgress from 'cli-progress';
import type { Terminal } from '../context.js';
import { fileSize } from './counted.js';

export interface CopyProgress {
  /** @param done bytes of the file that are there */
  update(file: { readonly path: string; readonly bytes: number }, done: number): void;
  stop(): void;
}

/** A bar for each file on a terminal; elsewhere a line for each file that is there. */
export function copyProgress(terminal: Terminal): CopyProgress {
  if (terminal.isTTY !== true) {
    return {
      update: ({ path, bytes }, done) => {
        if (done === bytes) terminal.write(`${path}: ${fileSize(bytes)}\n`);
      },
      stop: () => undefined,
    };
  }
  let current: { readonly path: string; readonly bar: cliProgress.SingleBar } | undefined;
  const stop = () => {
    current?.bar.stop();
    current = undefined;
  };
  return {
    update: ({ path, bytes }, done) => {
      if (current?.path !== path) {
        stop();
        current = { path, bar: startBar(terminal, path, bytes) };
      }
      current.bar.update(done, { done: fileSize(done) });
    },
    stop,
  };
}

function startBar(terminal: Terminal, path: string, bytes: number): cliProgress.SingleBar {
  const name = path.replace(/\p{Cc}/gu, ' ').padEnd(28);
  const bar = new cliProgress.SingleBar(
    {
      format: `${name} {bar} {percentage}% | {done} of ${fileSize(bytes)} | {eta_formatted} left`,
      stream: terminal,
      hideCursor: true,
      etaBuffer: 200,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(Math.max(1, bytes), 0, { done: fileSize(0) });
  return bar;
}
