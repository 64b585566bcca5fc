import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Their handles close their descriptors when they are collected. */
const kept: Socket[] = [];

/**
 * A descriptor for the same file on which a write never waits for a reader: a write that waits holds one of Node's
 * threads, and a process cannot end before its threads do. A pipe or a terminal is opened anew, so that nobody who
 * shares it is affected; where that is not allowed, and for a socket, the descriptor itself is changed, as Node does for
 * its own standard streams. Regular files never wait.
 */
export function withoutWaiting(fd: number): number {
  const stat = fstatSync(fd);
  if (stat.isFile()) return fd;
  if (!stat.isSocket()) {
    try {
      return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      // No such folder, or a user who may write to the file and not open it.
    }
  }
  if (stat.isSocket() || stat.isFIFO())
    kept.push(new Socket({ fd, readable: false, writable: true }).unref());
  return fd;
}

/** Writes what can be written at once: a last word, to which a reader that stalls is no reason to stay. */
export function writeAtOnce(fd: number, text: string): void {
  try {
    writeSync(withoutWaiting(fd), text);
  } catch {
    // Nobody reads it, or it is closed.
  }
}
