import { open } from 'node:fs/promises';
import type { ProcessMemory } from './types.js';

/** The kernel's page about a process takes less than half of this. */
const MAX_BYTES = 8_192;

/** What a process holds in main memory. */
export interface Resident {
  readonly parent: number;
  readonly bytes: number;
}

/**
 * The memory of processes that this one has started.
 * @param pids processes that have ended are left out, and so are others that have their numbers now
 * @param read what a process holds; undefined: it cannot be told
 * @returns undefined: the operating system tells of none
 */
export async function memoryOf(
  pids: Iterable<number>,
  read: (pid: number) => Promise<Resident | undefined> = readResident,
): Promise<ProcessMemory | undefined> {
  const found = await Promise.all([...pids].map(read));
  if ((await read(process.pid)) === undefined) return undefined;
  const own = found.filter((one) => one?.parent === process.pid);
  const residentBytes = own.reduce((sum, one) => sum + (one?.bytes ?? 0), 0);
  return { processes: own.length, residentBytes };
}

/** Reads `/proc`: any other system than Linux has none. */
async function readResident(pid: number): Promise<Resident | undefined> {
  const text = await head(`/proc/${pid}/status`).catch(() => undefined);
  if (text === undefined) return undefined;
  const numberIn = (line: RegExp) => Number(line.exec(text)?.[1]);
  const parent = numberIn(/^PPid:\s+(\d+)$/m);
  const kibibytes = numberIn(/^VmRSS:\s+(\d+) kB$/m);
  // A process that has ended, and that nobody has waited for yet, has no memory.
  return Number.isNaN(parent) || Number.isNaN(kibibytes) ? undefined : { parent, bytes: kibibytes * 1024 };
}

async function head(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
