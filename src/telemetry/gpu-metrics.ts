import type { Registry } from 'prom-client';
import type { GpuReading } from '../runtime/types.js';
import { gauge, type Reading } from './gauge.js';

const LABELS = ['gpu', 'uuid'];

/** Readings of the GPUs of this machine. No series if models run on the CPU or nvidia-smi reports nothing. */
export function gpuMetrics(registry: Registry, list: () => readonly GpuReading[]): void {
  gauge(
    registry,
    'verdict_gpu_memory_used_bytes',
    LABELS,
    'GPU memory in use by all processes; absent on the CPU and where nvidia-smi does not report it.',
    () => values(list(), (gpu) => gpu.memoryUsedBytes),
  );
  gauge(registry, 'verdict_gpu_memory_total_bytes', LABELS, 'Total GPU memory.', () =>
    values(list(), (gpu) => gpu.memoryTotalBytes),
  );
  gauge(
    registry,
    'verdict_gpu_utilization_ratio',
    LABELS,
    'Share of time the GPU was busy, 0 to 1, over at most the last second before nvidia-smi was asked.',
    () => values(list(), (gpu) => gpu.utilization),
  );
}

function values(gpus: readonly GpuReading[], pick: (gpu: GpuReading) => number | undefined): Reading[] {
  return gpus.flatMap((gpu) => {
    const value = pick(gpu);
    return value === undefined ? [] : [{ labels: { gpu: String(gpu.index), uuid: gpu.uuid }, value }];
  });
}
