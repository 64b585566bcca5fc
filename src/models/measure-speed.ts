import { readFile } from 'node:fs/promises';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Session } from '../runtime/types.js';
import type { Batching } from './types.js';

/** A sentence or two, and enough of them to keep the cores busy. */
const TOKENS = 32;
const ITEMS = 16;
const DURATION_MS = 1_000;

/** How fast a session is on this machine, and what it takes. */
export interface MeasuredSpeed {
  readonly inputsPerSecond: number;
  /** Tokens of each input that was measured. */
  readonly tokens: number;
  readonly batchSize: number;
  /** The most that the session's process has held, in bytes; undefined where the system does not tell. */
  readonly peakBytes: number | undefined;
}

/** Runs batches of one shape for a second, as many inputs in each as the model may have beside each other. */
export async function measureSpeed(
  session: Pick<Session, 'run' | 'info'>,
  preprocessor: Pick<Preprocessor<never>, 'ofCost'>,
  batching: Batching,
): Promise<MeasuredSpeed> {
  const input = await preprocessor.ofCost(TOKENS);
  const batch = Array.from({ length: batching === 'one_at_a_time' ? 1 : ITEMS }, () => input);
  // The first run of a shape allocates.
  await session.run(batch);
  const startedAt = performance.now();
  let runs = 0;
  while (runs < 1 || performance.now() - startedAt < DURATION_MS) {
    await session.run(batch);
    runs++;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    inputsPerSecond: (runs * batch.length) / seconds,
    tokens: input.cost,
    batchSize: batch.length,
    peakBytes: await peakOf(session.info.pid),
  };
}

async function peakOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
