import type { GpuReading } from './types.js';

/** The arguments that make nvidia-smi print what `parseGpuReadings` reads. */
export const GPU_QUERY = [
  '--query-gpu=index,uuid,memory.used,memory.total,utilization.gpu',
  '--format=csv,noheader,nounits',
] as const;

const MEBIBYTE = 1024 ** 2;
/** More than one machine has: a longer output is not from nvidia-smi. */
const MAX_GPUS = 64;
const UUID = /^[A-Za-z0-9-]{1,64}$/;

/**
 * Reads the output of nvidia-smi, one GPU per line. A field in brackets (`[N/A]`, `[Not Supported]`) is undefined; a
 * line that does not describe a GPU is left out.
 */
export function parseGpuReadings(output: string): GpuReading[] {
  const readings = new Map<number, GpuReading>();
  for (const line of output.split('\n', MAX_GPUS)) {
    const [index, uuid, used, total, utilization, ...more] = line.split(',').map((field) => field.trim());
    if (more.length > 0 || uuid === undefined || !UUID.test(uuid)) continue;
    const gpu = amount(index);
    if (gpu === undefined || !Number.isInteger(gpu)) continue;
    readings.set(gpu, {
      index: gpu,
      uuid,
      memoryUsedBytes: scaled(amount(used), MEBIBYTE),
      memoryTotalBytes: scaled(amount(total), MEBIBYTE),
      utilization: scaled(amount(utilization), 0.01),
    });
  }
  return [...readings.values()];
}

function amount(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,9}(\.\d{1,9})?$/.test(field) ? Number(field) : undefined;
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
