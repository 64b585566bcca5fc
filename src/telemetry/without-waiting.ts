import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Keeps the handles alive: they close their descriptors when they are collected. */
const kept: Socket[] = [];

/**
 * A descriptor for the same file on which a write never waits for a reader: a waiting write holds one of Node's
 * threads, and a process cannot end before its threads do. It opens a pipe or a terminal again, so that other users of
 * it are not affected. If that is not allowed, and for a socket, it changes the descriptor itself, as Node does for its
 * own standard streams. Regular files never wait.
 */
export function withoutWaiting(fd: number): number {
  const stat = fstatSync(fd);
  if (stat.isFile()) return fd;
  if (!stat.isSocket()) {
    try {
      return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      // No such folder, or the user may write to the file but not open it.
    }
  }
  if (stat.isSocket() || stat.isFIFO())
    kept.push(new Socket({ fd, readable: false, writable: true }).unref());
  return fd;
}

/** Writes what can be written at once: a last message, for which the process does not wait for a stalled reader. */
export function writeAtOnce(fd: number, text: string): void {
  try {
    writeSync(withoutWaiting(fd), text);
  } catch {
    // Nobody reads it, or it is closed.
  }
}
