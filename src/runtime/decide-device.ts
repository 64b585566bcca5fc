import type { CudaProbe } from './probe-cuda.js';
import type { Device } from './types.js';

/** What the operator asks for. */
export type DeviceChoice = Device | 'auto';

export interface DeviceDecision {
  readonly device: Device;
  /** Why `auto` took the CPU; undefined where nothing was tried in vain. */
  readonly fallbackReason: string | undefined;
}

/** CUDA was asked for by name and cannot be used. */
export class DeviceUnavailableError extends Error {
  override readonly name = 'DeviceUnavailableError';
}

/**
 * Settles the device once for the whole process, before models choose their precision. `auto` takes CUDA where it
 * computes, else the CPU with the reason; `cuda` does not fall back.
 * @throws DeviceUnavailableError
 */
export async function decideDevice(
  choice: DeviceChoice,
  probe: () => Promise<CudaProbe>,
): Promise<DeviceDecision> {
  if (choice === 'cpu') return { device: 'cpu', fallbackReason: undefined };
  const found = await probe();
  if (found.usable) return { device: 'cuda', fallbackReason: undefined };
  if (choice === 'auto') return { device: 'cpu', fallbackReason: `CUDA cannot be used: ${found.reason}` };
  throw new DeviceUnavailableError(`device cuda was asked for, but CUDA cannot be used: ${found.reason}`);
}
