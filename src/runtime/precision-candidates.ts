import type { Device, Precision } from './types.js';

/** What the operator asks for. */
export type PrecisionChoice = Precision | 'auto';

/** Fastest first. Each has to pass its golden check before it serves. */
const AUTO = {
  cpu: ['int8', 'fp32'],
  cuda: ['fp16', 'fp32'],
} as const satisfies Record<Device, readonly Precision[]>;

/**
 * The precisions to try, in order, out of those that the model version has. A precision asked for by name is the only
 * candidate. Empty: the version has nothing that fits.
 */
export function precisionCandidates(
  choice: PrecisionChoice,
  device: Device,
  available: Iterable<Precision>,
): readonly Precision[] {
  const present = new Set(available);
  const wanted: readonly Precision[] = choice === 'auto' ? AUTO[device] : [choice];
  return wanted.filter((precision) => present.has(precision));
}
