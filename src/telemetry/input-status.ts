import type { ClassifierHooks } from '../classify/types.js';

export type ClassifiedInput = Parameters<NonNullable<ClassifierHooks['onInput']>>[0];

/** How an input ended, as the label `status` says. */
export type InputStatus = 'success' | 'cache_hit' | 'error';

export const inputStatuses: readonly InputStatus[] = ['success', 'cache_hit', 'error'];

export const statusOf = {
  miss: 'success',
  bypassed: 'success',
  coalesced: 'success',
  lru: 'cache_hit',
  redis: 'cache_hit',
  error: 'error',
} as const satisfies Record<ClassifiedInput['outcome'], InputStatus>;
