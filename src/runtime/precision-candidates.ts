import type { Device, Precision } from './types.js';

/** The operator's choice. */
export type PrecisionChoice = Precision | 'auto';

/** Fastest first. Each must reproduce the known answers before it serves. */
const AUTO = {
  cpu: ['int8', 'fp32'],
  cuda: ['fp16', 'fp32'],
} as const satisfies Record<Device, readonly Precision[]>;

/** Correct but slow on the device: taken if the version has nothing else. */
const LAST_RESORT = {
  cpu: [],
  cuda: ['int8'],
} as const satisfies Record<Device, readonly Precision[]>;

/**
 * The precisions to try, in order, among those of the model version. A precision set by name is the only candidate.
 * Empty: the version has nothing that fits.
 */
export function precisionCandidates(
  choice: PrecisionChoice,
  device: Device,
  available: Iterable<Precision>,
): readonly Precision[] {
  const present = new Set(available);
  const held = (wanted: readonly Precision[]) => wanted.filter((precision) => present.has(precision));
  if (choice !== 'auto') return held([choice]);
  const fast = held(AUTO[device]);
  return fast.length > 0 ? fast : held(LAST_RESORT[device]);
}
