import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { repositoryRoot } from './repository.js';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string | Buffer;
  /** Where standard output goes: a file descriptor, or a pipe whose reader leaves at once. Else it is read. */
  readonly stdout?: number | 'abandoned';
}

/** Runs a script of the repository until it ends by itself. It sees only the environment given, and PATH. */
export async function runToEnd(
  script: string,
  args: readonly string[] = [],
  { env = {}, input = '', stdout: target }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [join(repositoryRoot, script), ...args], {
    cwd: repositoryRoot,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', typeof target === 'number' ? target : 'pipe', 'pipe'],
  });
  const { stdin, stdout: out, stderr: err } = child;
  assert.ok(stdin !== null && err !== null);
  stdin.on('error', () => undefined);
  stdin.end(input);
  if (target === 'abandoned') out?.destroy();
  const [stdout, stderr, [code]] = await Promise.all([
    out === null || target === 'abandoned' ? '' : text(out),
    text(err),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}
