import { BenchUsageError } from './usage-error.js';

/** One of the allowed words. @throws BenchUsageError */
export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new BenchUsageError(`--${flag} is one of ${allowed.join(', ')}`);
  return found;
}

/** A whole number from 1 on. @throws BenchUsageError */
export function positive(flag: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new BenchUsageError(`--${flag} is a whole number of at least 1`);
  }
  return number;
}
