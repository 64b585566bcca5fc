import type { SessionSpec } from './types.js';

/** The instructions for a session process, as JSON in its first argument. */
export interface SessionLaunch {
  readonly spec: SessionSpec;
  /** End the process even in the middle of a run if the server is gone. */
  readonly watchServer: boolean;
}

/** The file descriptor of the socket pair in the session process. */
export const CHANNEL_FD = 3;
