import { ReplyError } from 'ioredis';

/**
 * What a reply that is an error says of the server.
 *
 * - `answered`: this one key cannot be served (it holds another type, or lies on another node), and the server works.
 * - `write_refused`: it stores nothing now and answers reads: it is full, or cannot save.
 * - `wrong_server`: it takes no commands, and a new connection may find one that does: a replica after a failover, a
 *   server that loads its data or wants a password.
 * - `unusable`: it takes no commands, and a new connection would change nothing: permissions, a cluster without all of
 *   its slots, a script that runs.
 * - `failed`: any other reply, of a proxy that found no server perhaps.
 */
export type ReplyClass = 'answered' | 'write_refused' | 'wrong_server' | 'unusable' | 'failed';

/** By the word that an error begins with; redis.io/docs/latest/develop/reference/protocol-spec, and `src/server.c` of Redis. */
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

/** The class of an error that a command ended with; undefined where no server replied. */
export function replyClass(error: unknown): ReplyClass | undefined {
  if (!(error instanceof Error && error instanceof ReplyError)) return undefined;
  return CLASSES.get(firstWord(error)) ?? 'failed';
}

/** Whether the value under the key is of a type that the command is not for. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error instanceof ReplyError && firstWord(error) === 'WRONGTYPE';
}

function firstWord({ message }: Error): string {
  return /^\w*/.exec(message)?.[0] ?? '';
}
