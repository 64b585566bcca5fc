import { GpuMonitor } from '../../src/runtime/gpu-monitor.js';
import type { GpuReading } from '../../src/runtime/types.js';

const INTERVAL_MS = 250;
const TIMEOUT_MS = 5_000;

/** What the GPU did during a pass. */
export interface GpuUse {
  readonly samples: number;
  /** Mean share of time in which a kernel ran, 0 to 1; undefined where nvidia-smi does not tell. */
  readonly meanUtilization: number | undefined;
  readonly maxMemoryUsedBytes: number | undefined;
}

/** Asks nvidia-smi four times a second and sums up what it said, GPU by GPU number. */
export class GpuSampler {
  readonly #monitor: GpuMonitor;
  readonly #timer: NodeJS.Timeout;
  readonly #deviceId: number;
  #seen: readonly GpuReading[] = [];
  #readings: GpuReading[] = [];

  /** @param deviceId as nvidia-smi counts, which is CUDA's count where CUDA_VISIBLE_DEVICES is not set */
  constructor(deviceId: number, onUnavailable: (reason: string) => void) {
    this.#deviceId = deviceId;
    this.#monitor = new GpuMonitor({ intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS, onUnavailable });
    this.#monitor.start();
    this.#timer = setInterval(() => this.#sample(), INTERVAL_MS / 2).unref();
  }

  /** Forgets what was sampled before. */
  reset(): void {
    this.#readings = [];
  }

  use(): GpuUse {
    return summarize(this.#readings);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#monitor.close();
  }

  #sample(): void {
    const { readings } = this.#monitor;
    // Each answer counts once, however often one looks.
    if (readings === this.#seen) return;
    this.#seen = readings;
    const own = readings.find(({ index }) => index === this.#deviceId);
    if (own !== undefined) this.#readings.push(own);
  }
}

/** The mean utilisation and the largest memory of one GPU's readings. */
export function summarize(readings: readonly GpuReading[]): GpuUse {
  const utilizations = readings.flatMap(({ utilization }) =>
    utilization === undefined ? [] : [utilization],
  );
  const memory = readings.flatMap(({ memoryUsedBytes }) =>
    memoryUsedBytes === undefined ? [] : [memoryUsedBytes],
  );
  return {
    samples: readings.length,
    meanUtilization:
      utilizations.length === 0
        ? undefined
        : utilizations.reduce((sum, value) => sum + value, 0) / utilizations.length,
    maxMemoryUsedBytes: memory.length === 0 ? undefined : Math.max(...memory),
  };
}
