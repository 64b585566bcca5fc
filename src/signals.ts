export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Its default action is harmful: it opens Node's debugger. */
export type IgnoredSignal = 'SIGUSR1';

/** Its default action is to end the process. */
export type ReloadSignal = 'SIGHUP';

/** `process`, or a stand-in of a test. */
export interface SignalSource<S extends string = StopSignal> {
  on(signal: S, listener: (signal: S) => void): unknown;
  off(signal: S, listener: (signal: S) => void): unknown;
}

export interface StopHandlers {
  /** The first signal: end gracefully. */
  readonly stop: (signal: StopSignal) => void;
  /** Any later one: end at once. */
  readonly force: (signal: StopSignal) => void;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Ctrl-C under `npm start` or `npx` arrives twice within milliseconds, once from the terminal and once passed on by
 * npm. Nobody presses it twice this fast on purpose.
 */
const echoMs = 300;

/**
 * Listens for the signals that end the process.
 * @returns a function that stops listening
 */
export function onStopSignals(source: SignalSource, handlers: StopHandlers): () => void {
  const { stop, force, now = () => performance.now() } = handlers;
  let firstAt: number | undefined;
  const listener = (signal: StopSignal) => {
    if (firstAt === undefined) {
      firstAt = now();
      stop(signal);
    } else if (now() - firstAt >= echoMs) {
      force(signal);
    }
  };
  source.on('SIGINT', listener);
  source.on('SIGTERM', listener);
  return () => {
    source.off('SIGINT', listener);
    source.off('SIGTERM', listener);
  };
}

/** Ignores this signal, and reports each one. */
export function ignoreSignals(
  source: Pick<SignalSource<IgnoredSignal>, 'on'>,
  tell: (signal: IgnoredSignal) => void,
): void {
  source.on('SIGUSR1', tell);
}

/** Calls back for each signal that asks for what has changed to be read again. */
export function onReloadSignals(
  source: Pick<SignalSource<ReloadSignal>, 'on'>,
  reload: (signal: ReloadSignal) => void,
): void {
  source.on('SIGHUP', reload);
}
