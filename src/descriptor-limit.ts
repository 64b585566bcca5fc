import { readFileSync } from 'node:fs';

/** Node opens this many files at once while it loads the program. With fewer it ends with a stack trace. */
const LEAST_TO_LOAD = 160;
/** The process itself: its event loop, standard streams, listening sockets, Redis. */
const OWN = 40;
/** The event loop of a thread. */
const PER_THREAD = 5;
/** Pipes and sockets to a session process. */
const PER_SESSION = 3;
/** A lost session frees its descriptors only after its successor has started. */
const REPLACEMENT = 2 * PER_SESSION;
/** Connections of the admin server. */
const ADMIN = 64;
/** Connections of callers, without which there is no point in serving. */
const LEAST_CALLERS = 32;

/** What the server opens besides the connections of callers. */
export interface DescriptorUse {
  readonly tokenizerThreads: number;
  readonly sessions: number;
  /** Sessions of a version that is loaded beside them, to take another's place. */
  readonly reloadSessions: number;
}

/**
 * How many descriptors (open files, sockets, pipes) this process may have; Infinity if there is no limit or the system
 * does not tell. Node has raised the soft limit to the hard one.
 */
export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Why the program cannot even be loaded under the limit; undefined if it can. */
export function loadingTrouble(limit = descriptorLimit()): string | undefined {
  if (limit >= LEAST_TO_LOAD) return undefined;
  return `this process may open ${limit} files (ulimit -n), and needs ${LEAST_TO_LOAD} to start and more to serve: 1024 is enough for a few hundred connections`;
}

/** How many connections of callers fit, beside a reserve. @throws Error if there is hardly room for any */
export function roomForConnections(use: DescriptorUse, limit = descriptorLimit()): number {
  const sessions = use.sessions + use.reloadSessions;
  const reserved = OWN + PER_THREAD * use.tokenizerThreads + PER_SESSION * sessions + REPLACEMENT + ADMIN;
  if (limit >= reserved + LEAST_CALLERS) return limit - reserved;
  throw new Error(
    `this process may open ${limit} files (ulimit -n), and needs at least ${reserved + LEAST_CALLERS}: for ${use.sessions} sessions and ${use.reloadSessions} more during a reload, ${use.tokenizerThreads} tokeniser threads, ${ADMIN} connections to the admin port and ${LEAST_CALLERS} connections of callers`,
  );
}
