import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { VerdictError } from '../errors.js';
import type { ConnectionEnds } from './connection-ends.js';
import type { Connection, Connections } from './connections.js';
import { breachOf } from './protocol-breach.js';
import type { ConnectionEnd, ProtocolBreach } from './types.js';

/** How long connections may take and live. Milliseconds. */
export interface ConnectionLimits {
  /** From accepting one to the settings that every HTTP/2 client sends first. */
  readonly prefaceMs: number;
  /** Until it is told to move on, 10 % more or less, so that those opened together do not leave together. */
  readonly maxAgeMs: number;
  /** How long its calls may be without a message after that. */
  readonly idleMs: number;
  /** How long they may go on at all. */
  readonly graceMs: number;
  /** How long a connection may be silent while it owes the answer to a ping. */
  readonly pingMs: number;
}

/** The calls of a connection, told of its end. */
export interface ConnectionCalls {
  /**
   * Calls finish what they have begun, and end with the error.
   * @param idle for each connection since when its calls must have been without a message; performance.now() milliseconds
   */
  drain(idle: ReadonlyMap<Connection, number>, error: VerdictError): void;
  /** End now. */
  interrupt(connection: Connection, error: VerdictError): void;
}

/** Who wants to know of ends. */
export interface WatchReports {
  readonly ends: ConnectionEnds;
  readonly onBreach?: (breach: ProtocolBreach) => void;
}

/** How long the calls of a connection that is at its end may take to finish, and then their statuses to leave. */
const finishMs = 5_000;
const flushMs = 1_000;

/** How long a connection may stay open once its session has ended: for what was written last, and for the peer to close. */
const lingerMs = 10_000;

/** Node takes no more than ten pings that are not answered, and grpc-js ends a connection that does not take its own. */
const maxPings = 4;

const maxLookMs = 1_000;
const ageJitter = 0.1;
const maxStreamId = 2 ** 31 - 1;

interface Watched {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly connection: Connection;
  readonly openedAt: number;
  readonly agesAt: number;
  greeted: boolean;
  /** What had been received, and how many calls and messages had come of it, at the last look. */
  bytesRead: number;
  /** What had been received, and had come of it, when a ping was last answered: that far the session is known to be well. */
  answeredAt: { readonly bytesRead: number; readonly activity: number } | undefined;
  /** Whether anything but answers to pings had been received between the last two looks. */
  hadNews: boolean;
  activity: number;
  /** What had been written when the last ping was sent, until the next look. */
  pingedAtByte: number | undefined;
  /** Pings that are not answered. */
  pings: number;
  /** Looks in a row that found one of these pings, and nothing that had come or gone. */
  quietLooks: number;
  /** What had been written and taken by the system at the last look. */
  bytesTaken: number;
  end: 'none' | 'told' | 'draining' | 'interrupted';
  /** When the session was first seen to have ended while the connection stood; performance.now() milliseconds. */
  lingersSince: number | undefined;
}

/** Looks at all connections once a second or so, and ends those that have lasted too long or are dead. */
export class ConnectionWatch {
  readonly #limits: ConnectionLimits;
  readonly #connections: Connections;
  readonly #calls: ConnectionCalls;
  readonly #reports: WatchReports;
  readonly #watched = new Set<Watched>();
  readonly #lookMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(
    limits: ConnectionLimits,
    connections: Connections,
    calls: ConnectionCalls,
    reports: WatchReports,
  ) {
    this.#limits = limits;
    this.#connections = connections;
    this.#calls = calls;
    this.#reports = reports;
    const { prefaceMs, maxAgeMs, idleMs, graceMs, pingMs } = limits;
    const shortest = Math.min(prefaceMs, maxAgeMs, idleMs, graceMs, pingMs);
    this.#lookMs = Math.min(maxLookMs, Math.max(20, shortest / 4));
    this.#timer = setInterval(() => this.#look(), this.#lookMs).unref();
  }

  /** @param socket the TCP connection that the session speaks over, below TLS too */
  add(session: ServerHttp2Session, socket: Socket): void {
    const now = performance.now();
    const { maxAgeMs } = this.#limits;
    const jitter = 1 - ageJitter + 2 * ageJitter * Math.random();
    const watched: Watched = {
      session,
      socket,
      connection: this.#connections.open(session, socket),
      openedAt: now,
      agesAt: now + maxAgeMs * jitter,
      greeted: false,
      bytesRead: 0,
      answeredAt: undefined,
      hadNews: false,
      activity: 0,
      pingedAtByte: undefined,
      pings: 0,
      quietLooks: 0,
      bytesTaken: 0,
      end: 'none',
      lingersSince: undefined,
    };
    this.#watched.add(watched);
    session.once('remoteSettings', () => {
      watched.greeted = true;
    });
    this.#listen(watched);
    socket.once('close', () => this.#watched.delete(watched));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const idle = new Map<Connection, number>();
    for (const watched of this.#watched) {
      const { session, socket } = watched;
      if (session.destroyed) {
        watched.lingersSince ??= now;
        if (now - watched.lingersSince > lingerMs) socket.destroy();
      } else if (!watched.greeted && now - watched.openedAt > this.#limits.prefaceMs) {
        this.#end(watched, 'silent');
      } else if (this.#isBroken(watched)) {
        this.#broken(watched, 'frame');
        this.#end(watched, 'protocol');
        // A session ends its connection when its last write is done. Over TLS, one that failed may never be.
        socket.destroy();
      } else if (watched.quietLooks * this.#lookMs > this.#limits.pingMs) {
        this.#end(watched, 'unanswered');
        socket.destroy();
      } else this.#age(watched, now, idle);
    }
    if (idle.size > 0) this.#calls.drain(idle, aged());
  }

  /** The session hears of errors and of its end after the connection has closed; the connection itself hears before. */
  #listen(watched: Watched): void {
    const { session, socket } = watched;
    let hasLeft = false;
    session.once('goaway', () => {
      hasLeft = true;
    });
    session.socket.once('end', () => {
      hasLeft ||= !session.destroyed;
    });
    session.socket.once('error', (error) => {
      hasLeft = true;
      const breach = breachOf(error);
      if (breach !== undefined) this.#broken(watched, breach);
    });
    // What neither the client nor this server has ended, grpc-js has: it does so where its own ping is not answered.
    this.#reports.ends.ask(socket, () => (hasLeft ? 'client' : 'unanswered'));
  }

  #broken({ socket }: Watched, breach: ProtocolBreach): void {
    const { ends, onBreach } = this.#reports;
    ends.tell(socket, 'protocol');
    onBreach?.(breach);
  }

  #end({ session, socket }: Watched, end: ConnectionEnd): void {
    this.#reports.ends.tell(socket, end);
    session.destroy();
  }

  /**
   * After most errors of the protocol nghttp2 sends its GOAWAY and hears nothing more, and Node does not notice: the
   * connection would stand until a ping of grpc-js times out. Such a session does not send frames either, so when bytes
   * have come in of which nothing came, or after which nothing more came, a ping tells: it is not written, though nothing
   * else waits to be.
   */
  #isBroken(watched: Watched): boolean {
    const { session, socket, connection } = watched;
    const { bytesRead, bytesWritten } = session.socket;
    if (watched.pingedAtByte !== undefined) {
      if (bytesWritten === watched.pingedAtByte && queuedBytes(socket) === 0) return true;
      watched.pingedAtByte = undefined;
    }
    const hasCome = bytesRead !== watched.bytesRead;
    // The answer to a ping is no reason for the next one: an idle connection would be pinged for ever.
    const { answeredAt } = watched;
    const isAnswer = answeredAt?.bytesRead === bytesRead && answeredAt.activity === connection.activity;
    const hasNews = hasCome && !isAnswer;
    const isSilent = hasNews && connection.activity === watched.activity;
    const cameToRest = !hasNews && watched.hadNews;
    const bytesTaken = bytesWritten - (queuedBytes(socket) ?? 0);
    // Looks and not milliseconds: a process that was stopped for long has not read either.
    watched.quietLooks =
      hasCome || watched.pings === 0 || bytesTaken !== watched.bytesTaken ? 0 : watched.quietLooks + 1;
    watched.bytesTaken = bytesTaken;
    watched.bytesRead = bytesRead;
    watched.hadNews = hasNews;
    watched.activity = connection.activity;
    if ((isSilent || cameToRest) && this.#ping(watched)) watched.pingedAtByte = bytesWritten;
    return false;
  }

  /**
   * After more resets than nghttp2 takes (1,000 at once, 33 a second) a session still sends, pings too, but Node 20 reads
   * nothing more of the connection. From here that looks like a client that has fallen silent, and both are of no use: a
   * ping that is not answered while nothing else comes or goes ends them. A client on a slow line, or one that does not take
   * its answers, is heard: it answers, or at least makes room for more.
   */
  #ping(watched: Watched): boolean {
    if (watched.pings >= maxPings) return false;
    // Told at once of a ping that cannot be sent.
    let isOwed = false;
    isOwed = watched.session.ping(() => {
      if (!isOwed) return;
      watched.pings--;
      // Of a session that has ended nothing is left to ask.
      const { session, connection } = watched;
      if (session.destroyed) return;
      // What was read in one piece with the answer counts already: a call behind it does not yet.
      watched.answeredAt = { bytesRead: session.socket.bytesRead, activity: connection.activity };
    });
    if (isOwed) watched.pings++;
    return isOwed;
  }

  /**
   * GOAWAY at the age. From then on a call that idles ends, since it would keep the connection for ever; one at work may
   * go on. After the grace all calls are told to finish, then ended, and the connection goes.
   * @param idle gets the connections whose calls are to be drained
   */
  #age(watched: Watched, now: number, idle: Map<Connection, number>): void {
    const { session, socket, connection, agesAt, end } = watched;
    const { idleMs, graceMs } = this.#limits;
    if (end === 'none' && now >= agesAt) {
      watched.end = 'told';
      this.#reports.ends.tell(socket, 'age');
      session.goaway(constants.NGHTTP2_NO_ERROR, maxStreamId, Buffer.from('max_age'));
      session.close();
    } else if (end === 'told' && now >= agesAt + graceMs) {
      watched.end = 'draining';
      idle.set(connection, now);
    } else if (end === 'told' && now >= agesAt + idleMs) {
      idle.set(connection, now - idleMs);
    } else if (end === 'draining' && now >= agesAt + graceMs + finishMs) {
      watched.end = 'interrupted';
      this.#calls.interrupt(connection, aged());
    } else if (end === 'interrupted' && now >= agesAt + graceMs + finishMs + flushMs) {
      session.destroy();
    }
  }
}

/** What the system has not taken yet of what was written. Node keeps it to itself; undefined where it is not found. */
function queuedBytes(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return undefined;
  const size: unknown = Reflect.get(handle, 'writeQueueSize');
  return typeof size === 'number' ? size : undefined;
}

function aged(): VerdictError {
  return new VerdictError(
    'unavailable',
    'the connection has reached its maximum age: call again on a new one',
    {
      reason: 'CONNECTION_AGE',
    },
  );
}
