import cliProgress from 'cli-progress';
import type { Terminal } from '../context.js';
import { counted, whole } from './counted.js';

export interface Progress {
  /** @param done rows answered @param offset bytes of the input that they took */
  update(done: number, offset: number): void;
  stop(): void;
}

/** No bar. */
export const SILENT: Progress = { update: () => undefined, stop: () => undefined };

/** A bar on a terminal, over the bytes of the input if their number is known; nothing elsewhere. */
export function startProgress(
  terminal: Terminal,
  totalBytes: number | undefined,
  now: () => number,
): Progress {
  if (terminal.isTTY !== true) return SILENT;
  const startedAt = now();
  const counts = '{texts} | {rate} texts/s';
  const format = totalBytes === undefined ? counts : `{bar} {percentage}% | ${counts} | {eta_formatted} left`;
  const bar = new cliProgress.SingleBar(
    { format, stream: terminal, clearOnComplete: true, hideCursor: true, etaBuffer: 200 },
    cliProgress.Presets.shades_classic,
  );
  bar.start(Math.max(1, totalBytes ?? 1), 0, { texts: counted(0, 'text'), rate: '-' });
  let furthest = 0;
  return {
    update: (done, offset) => {
      const rate = Math.round((1000 * done) / Math.max(1, now() - startedAt));
      // In order of completion, offsets go back and forth.
      furthest = Math.max(furthest, offset);
      bar.update(furthest, { texts: counted(done, 'text'), rate: whole(rate) });
    },
    stop: () => bar.stop(),
  };
}
