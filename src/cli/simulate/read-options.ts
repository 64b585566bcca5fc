import type { PolicyName } from '../../batching/types.js';
import type { CostCurve } from '../../cost/cost-curve.js';
import { type LengthMix, tightMix, wideMix } from '../../simulation/length-mix.js';
import { UsageError } from '../usage-error.js';

/** A policy to simulate. */
export interface PolicyChoice {
  readonly policy: PolicyName;
  /** Of one batch; undefined: as for the others. */
  readonly maxItems: number | undefined;
}

const POLICIES: readonly PolicyName[] = ['length', 'fifo', 'window'];

/** @throws UsageError */
export function readPolicies(text: string): PolicyChoice[] {
  return text.split(',').map((part) => {
    const [name, items, ...more] = part.trim().split(':');
    const policy = POLICIES.find((known) => known === name);
    const isGood = more.length === 0 && (items === undefined || /^[1-9]\d{0,6}$/.test(items));
    if (policy === undefined || !isGood) {
      throw new UsageError(
        `--policy takes a comma-separated list of ${POLICIES.join(', ')}, each with an optional batch size (fifo:8); got "${part}"`,
      );
    }
    return { policy, maxItems: items === undefined ? undefined : Number(items) };
  });
}

/** @throws UsageError */
export function readCurve(text: string): CostCurve {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [baseMs = 0, msPerToken = 0, msPerTokenSquared = 0] = parts;
  const isGood = parts.length === 3 && parts.every((part) => Number.isFinite(part) && part >= 0);
  if (!isGood || baseMs + msPerToken + msPerTokenSquared === 0) {
    throw new UsageError(
      `--curve takes three comma-separated numbers of milliseconds, none negative and not all 0; got "${text}"`,
    );
  }
  return { baseMs, msPerToken, msPerTokenSquared };
}

/** @throws UsageError that names the flag */
export function readLengths(flag: string, text: string): LengthMix {
  if (text === 'tight') return tightMix;
  if (text === 'wide') return wideMix;
  const tokens = Number(text);
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > 100_000) {
    throw new UsageError(
      `--${flag} must be tight, wide or a number of tokens from 1 to 100000; got "${text}"`,
    );
  }
  return { median: tokens, sigma: 0, longest: tokens };
}
