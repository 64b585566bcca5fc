import { seededRandom } from '../../src/simulation/random.js';
import { FuzzedCalls } from './calls.js';
import { sendConnection } from './connections.js';
import { sendHttpConnection } from './http-connections.js';
import { FuzzedRequests } from './http-requests.js';

export interface FuzzOptions {
  /** Of the gRPC server. */
  readonly port: number;
  /** Of the HTTP server. */
  readonly httpUrl: string;
  /** The same seed sends the same inputs. */
  readonly seed: number;
  readonly inputs: number;
  /** Checked now and then: what it throws ends the run. */
  readonly check: () => Promise<void>;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  /** Calls by the gRPC code that they ended with; -1: without one. */
  readonly codes: ReadonlyMap<number, number>;
  readonly connections: number;
  /** Requests over HTTP by the status that they were answered with; -1: without one. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly httpConnections: number;
}

/** What the inputs are, in turns: one in so many is a connection of its own, with mutated frames of HTTP/2 or bytes of HTTP/1.1. */
const TURNS = ['connection', 'call', 'request', 'call', 'httpConnection', 'call', 'request', 'call'] as const;
const IN_FLIGHT = 32;
const CHECK_EVERY = 2_000;

/** Sends mutated calls, requests and connections, to both ports in turns. @throws Error that names the seed and the inputs during which a check failed */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { port, httpUrl, seed, inputs, check, onProgress } = options;
  const codes = new Map<number, number>();
  const statuses = new Map<number, number>();
  const count = (outcomes: Map<number, number>, outcome = -1) =>
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const calls = new FuzzedCalls(port);
  const requests = new FuzzedRequests(httpUrl);
  let connections = 0;
  let httpConnections = 0;
  let next = 0;
  const send = async (input: number) => {
    const random = seededRandom(seed * 0x1_00_00 + input);
    switch (TURNS[input % TURNS.length]) {
      case 'connection':
        connections++;
        return sendConnection(port, random);
      case 'httpConnection':
        httpConnections++;
        return sendHttpConnection(httpUrl, random);
      case 'request':
        count(statuses, await requests.send(random));
        return;
      default:
        count(codes, await calls.send(random));
    }
  };
  try {
    while (next < inputs) {
      const from = next;
      const end = Math.min(inputs, from + CHECK_EVERY);
      const worker = async () => {
        while (next < end) await send(next++);
      };
      try {
        await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
        await check();
      } catch (error) {
        throw new Error(`seed ${seed}, inputs ${from} to ${end}: ${String(error)}`, { cause: error });
      }
      onProgress?.(next);
    }
    return { codes, connections, statuses, httpConnections };
  } finally {
    calls.close();
    requests.close();
  }
}
