import { type Level, pino } from 'pino';
import { callLine, levelOf } from './call-line.js';
import { isoTime } from './iso-time.js';
import { LineWriter } from './line-writer.js';
import type { Log } from './types.js';
import { withoutWaiting } from './without-waiting.js';

/** `silent` logs nothing. */
export type LogLevel = Level | 'silent';

export interface Logger extends Log {
  /** Lines lost so far because the reader of the log was too slow, or gone. */
  droppedLines(): number;
  /**
   * Writes the waiting lines; gives up after half a second.
   * @returns how many lines were lost, and whether a write that does not return keeps the process from ending
   */
  close(): Promise<{ readonly droppedLines: number; readonly isStuck: boolean }>;
}

const closeTimeoutMs = 500;

/** JSON lines on a file descriptor, standard output by default. */
export function createLogger(options: { readonly level: LogLevel; readonly fd?: number }): Logger {
  const writer = new LineWriter(withoutWaiting(options.fd ?? 1));
  const time = isoTime();
  const lines = pino(
    {
      level: options.level,
      base: null,
      timestamp: time,
      formatters: { level: (level) => ({ level }) },
    },
    writer,
  );
  const logsCalls = { debug: lines.isLevelEnabled('debug'), info: lines.isLevelEnabled('info') };
  return {
    call: (call) => {
      const level = levelOf(call);
      if (logsCalls[level]) writer.write(callLine(level, time(), call));
    },
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    droppedLines: () => writer.dropped,
    close: async () => {
      await writer.close(closeTimeoutMs);
      return { droppedLines: writer.dropped, isStuck: writer.isStuck };
    },
  };
}
