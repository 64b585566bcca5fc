import type { CudaProbe, Device } from './types.js';

/** The operator's choice. */
export type DeviceChoice = Device | 'auto';

export interface DeviceDecision {
  readonly device: Device;
  /** Why `auto` took the CPU; undefined if CUDA was not tried or works. */
  readonly fallbackReason: string | undefined;
}

/** The setting requires CUDA, but it cannot be used. */
export class DeviceUnavailableError extends Error {
  override readonly name = 'DeviceUnavailableError';
}

/**
 * Decides the device once for the whole process, before models choose their precision. `auto` takes CUDA if it works,
 * else the CPU with the reason; `cuda` does not fall back.
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
  throw new DeviceUnavailableError(`the device is set to cuda, but CUDA cannot be used: ${found.reason}`);
}
