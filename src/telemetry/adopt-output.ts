import { LineLimiter } from './line-limiter.js';
import type { Log } from './types.js';

const MAX_TEXT_CHARS = 1000;
const INTERVAL_MS = 100;

/** `process`, or a stand-in of a test. */
export interface OutputSource {
  readonly stdout: Pick<NodeJS.WriteStream, 'write'>;
  readonly stderr: Pick<NodeJS.WriteStream, 'write'>;
  on(event: 'warning', listener: (warning: Error) => void): unknown;
  off(event: 'warning', listener: (warning: Error) => void): unknown;
  listeners(event: 'warning'): ((warning: Error) => void)[];
}

type Write = OutputSource['stdout']['write'];

/**
 * Turns everything that is written outside the log into log lines: by libraries through `console`, `debug` or the
 * streams themselves, by worker threads, whose streams end in these, and Node's own warnings. Logs at most ten lines a
 * second of each of the three; each line says how many were held back. The log itself writes to its file descriptor.
 *
 * @param now a clock in milliseconds
 * @returns a function that undoes it
 */
export function adoptOutput(
  log: Log,
  source: OutputSource,
  now: () => number = () => performance.now(),
): () => void {
  const limiters = {
    stdout: new LineLimiter(INTERVAL_MS, now),
    stderr: new LineLimiter(INTERVAL_MS, now),
    warning: new LineLimiter(INTERVAL_MS, now),
  };
  const tell = (from: keyof typeof limiters, text: string): void => {
    if (text === '') return;
    const suppressed = limiters[from].pass();
    if (suppressed === undefined) return;
    log.warn({ from, text: text.slice(0, MAX_TEXT_CHARS), suppressed }, 'output of a library');
  };
  const undo = (['stdout', 'stderr'] as const).map((name) => {
    const stream = source[name];
    const original = stream.write;
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      tell(name, (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()).trim());
      const done = rest.find((argument) => typeof argument === 'function');
      if (done !== undefined) process.nextTick(done);
      return true;
    }) as Write;
    return () => {
      stream.write = original;
    };
  });
  // Node's listener prints in its own format, to the descriptor.
  const printers = source.listeners('warning');
  for (const printer of printers) source.off('warning', printer);
  const onWarning = (warning: Error): void => tell('warning', warning.stack ?? String(warning));
  source.on('warning', onWarning);
  return () => {
    for (const step of undo) step();
    source.off('warning', onWarning);
    for (const printer of printers) source.on('warning', printer);
  };
}
