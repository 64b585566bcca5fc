import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { repositoryRoot } from './repository.js';

/** What the server is started with, on top of its settings. */
export interface SpawnOptions {
  readonly args?: readonly string[];
  /** A descriptor that it writes its log to. Default: a pipe that this process reads. */
  readonly stdout?: number;
  /** Nobody reads its log. Node gives its child a socket. */
  readonly unread?: boolean;
}

/**
 * Starts the compiled server.
 * @param settings environment variables on top of free ports, the CPU, one session, no grace for balancers
 */
export function spawnServer(
  settings: Readonly<Record<string, string>>,
  { args = [], stdout }: SpawnOptions = {},
): ChildProcessByStdio<null, Readable | null, Readable> {
  return spawn(process.execPath, [join(repositoryRoot, 'dist/src/main.js'), ...args], {
    cwd: repositoryRoot,
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      VERDICT_PORT: '0',
      VERDICT_HTTP_PORT: '0',
      VERDICT_ADMIN_PORT: '0',
      VERDICT_DEVICE: 'cpu',
      // Whether sessions are divided depends on how quick the machine is.
      VERDICT_INSTANCES: '1',
      VERDICT_DRAIN_GRACE_MS: '0',
      // Tests stop sessions, to hold the runs that they are given next.
      VERDICT_SELF_TEST_INTERVAL_MS: '0',
      ...settings,
    },
  }) as ChildProcessByStdio<null, Readable | null, Readable>;
}
