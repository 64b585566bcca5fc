import {
  type LengthMix,
  longLength,
  tightMix,
  usualLength,
  wideMix,
} from '../../src/simulation/length-mix.js';
import { normal, type Random } from './random.js';

export const lengthMixes = { tight: tightMix, wide: wideMix } as const satisfies Record<string, LengthMix>;

export type MixName = keyof typeof lengthMixes;

/**
 * The lengths of `count` texts, the long ones first. Those are spread evenly instead of drawn, so that a few hundred
 * texts already have the mix's tail.
 */
export function drawLengths(mix: LengthMix, count: number, random: Random): number[] {
  const long = Math.round(count * (mix.long?.share ?? 0));
  return Array.from({ length: count }, (_, i) =>
    i < long ? longLength(mix, long === 1 ? 1 : i / (long - 1)) : usualLength(mix, normal(random)),
  );
}
