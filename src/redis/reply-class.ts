import { ReplyError } from 'ioredis';

/**
 * What an error reply says about the server.
 *
 * - `answered`: this one key cannot be served (it holds another type, or is on another node), but the server works.
 * - `write_refused`: it answers reads but stores nothing now: it is full, or cannot save.
 * - `wrong_server`: it accepts no commands, but a new connection may find a server that does: a replica after a
 *   failover, a server that loads its data or requires a password.
 * - `unusable`: it accepts no commands, and a new connection would change nothing: permissions, a cluster with
 *   missing slots, a running script.
 * - `failed`: any other reply, for example of a proxy that found no server.
 */
export type ReplyClass = 'answered' | 'write_refused' | 'wrong_server' | 'unusable' | 'failed';

/** By the first word of an error; redis.io/docs/latest/develop/reference/protocol-spec, and `src/server.c` of Redis. */
const CLASSES = new Map<string, ReplyClass>(
  Object.entries({
    WRONGTYPE: 'answered',
    MOVED: 'answered',
    ASK: 'answered',
    TRYAGAIN: 'answered',
    OOM: 'write_refused',
    MISCONF: 'write_refused',
    NOREPLICAS: 'write_refused',
    READONLY: 'wrong_server',
    LOADING: 'wrong_server',
    MASTERDOWN: 'wrong_server',
    NOAUTH: 'wrong_server',
    DENIED: 'wrong_server',
    NOPERM: 'unusable',
    WRONGPASS: 'unusable',
    CLUSTERDOWN: 'unusable',
    BUSY: 'unusable',
  } as const),
);

/** The class of a command's error; undefined if no server replied. */
export function replyClass(error: unknown): ReplyClass | undefined {
  if (!(error instanceof Error && error instanceof ReplyError)) return undefined;
  return CLASSES.get(firstWord(error)) ?? 'failed';
}

/** Whether the value under the key has the wrong type for the command. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error instanceof ReplyError && firstWord(error) === 'WRONGTYPE';
}

/** Whether the user lacks the right to this command. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && error instanceof ReplyError && firstWord(error) === 'NOPERM';
}

function firstWord({ message }: Error): string {
  return /^\w*/.exec(message)?.[0] ?? '';
}
