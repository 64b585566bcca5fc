import type { ServerProcess } from '../server-process.js';
import type { MemorySample } from './flatness.js';

const MB = 2 ** 20;

/** One look at a server's memory, in MB. `mb` is the resident memory of all its processes. */
export interface MemoryReading extends MemorySample {
  readonly mainMb: number;
  readonly sessionsMb: number;
  /** Of the main process's JavaScript heap, in use. */
  readonly heapMb: number;
  /** Outside the heap, held by JavaScript objects: buffers before all. */
  readonly externalMb: number;
  readonly cacheMb: number;
}

/** Looks at a server's memory again and again: what the kernel says of its processes, and what it says itself. */
export class MemorySampler {
  readonly #server: ServerProcess;
  readonly #readings: MemoryReading[] = [];
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #failure: unknown;
  #reading: Promise<void> = Promise.resolve();

  constructor(server: ServerProcess, intervalMs: number) {
    this.#server = server;
    this.#timer = setInterval(() => {
      this.#reading = this.#reading
        .then(() => this.#read())
        .catch((error: unknown) => {
          this.#failure ??= error;
        });
    }, intervalMs);
  }

  /** @throws what a reading failed with: a soak with holes proves nothing */
  async stop(): Promise<readonly MemoryReading[]> {
    clearInterval(this.#timer);
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure;
    return this.#readings;
  }

  async #read(): Promise<void> {
    const atMs = performance.now() - this.#startedAt;
    const { mainBytes, sessionsBytes } = this.#server.memory();
    const metrics = await this.#server.metrics();
    const mb = (name: string): number => metrics.value(name) / MB;
    this.#readings.push({
      atMs,
      mb: (mainBytes + sessionsBytes) / MB,
      mainMb: mainBytes / MB,
      sessionsMb: sessionsBytes / MB,
      heapMb: mb('nodejs_heap_size_used_bytes'),
      externalMb: mb('nodejs_external_memory_bytes'),
      cacheMb: mb('verdict_cache_bytes'),
    });
  }
}
