import { seededRandom } from '../../src/simulation/random.js';
import { FuzzedCalls } from './calls.js';
import { sendConnection } from './connections.js';

export interface FuzzOptions {
  readonly port: number;
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
}

/** One in so many inputs is a connection of its own, with mutated frames of HTTP/2. */
const CONNECTION_EVERY = 8;
const IN_FLIGHT = 32;
const CHECK_EVERY = 2_000;

/** Sends mutated calls and connections. @throws Error that names the seed and the inputs during which a check failed */
export async function fuzz({ port, seed, inputs, check, onProgress }: FuzzOptions): Promise<FuzzReport> {
  const codes = new Map<number, number>();
  const calls = new FuzzedCalls(port);
  let connections = 0;
  let next = 0;
  const send = async (input: number) => {
    const random = seededRandom(seed * 0x1_00_00 + input);
    if (input % CONNECTION_EVERY === 0) {
      connections++;
      await sendConnection(port, random);
    } else {
      const code = (await calls.send(random)) ?? -1;
      codes.set(code, (codes.get(code) ?? 0) + 1);
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
    return { codes, connections };
  } finally {
    calls.close();
  }
}
