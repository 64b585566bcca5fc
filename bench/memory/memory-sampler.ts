import type { MemorySample } from './flatness.js';
import { type ResidentMemory, residentMemory } from './resident-memory.js';

const INTERVAL_MS = 1_000;

/** One look at a server's memory; all in MB. */
export interface MemoryReading extends MemorySample, ResidentMemory {
  /** Of the main process's JavaScript heap, in use. */
  readonly heapMb: number;
  /** Memory outside the heap that JavaScript objects hold: buffers before all. */
  readonly externalMb: number;
  readonly cacheMb: number;
}

/** Reads the memory of a server's processes every second, and what the server says of its own. */
export class MemorySampler {
  readonly readings: MemoryReading[] = [];
  readonly #server: { readonly pid: number; readonly adminAddress: string };
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #failure: unknown;
  #reading: Promise<void> = Promise.resolve();

  constructor(server: { readonly pid: number; readonly adminAddress: string }) {
    this.#server = server;
    this.#timer = setInterval(() => {
      this.#reading = this.#reading
        .then(() => this.#read())
        .catch((error: unknown) => {
          this.#failure ??= error;
        });
    }, INTERVAL_MS);
  }

  /** @throws what a reading failed with: a soak with holes proves nothing */
  async stop(): Promise<readonly MemoryReading[]> {
    clearInterval(this.#timer);
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
    return this.readings;
  }

  async #read(): Promise<void> {
    const atMs = performance.now() - this.#startedAt;
    const [resident, page] = await Promise.all([
      residentMemory(this.#server.pid),
      fetch(`http://${this.#server.adminAddress}/metrics`).then((response) => response.text()),
    ]);
    const mb = (name: string): number => metricFrom(page, name) / 2 ** 20;
    this.readings.push({
      atMs,
      ...resident,
      mb: resident.ownMb + resident.childrenMb,
      heapMb: mb('nodejs_heap_size_used_bytes'),
      externalMb: mb('nodejs_external_memory_bytes'),
      cacheMb: mb('verdict_cache_bytes'),
    });
  }
}

/** The value of a series without labels, or the sum over those with labels that hold `match`; NaN for none. */
export function metricFrom(page: string, name: string, match = ''): number {
  const values = page
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(match)))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0);
}
