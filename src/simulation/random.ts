/** Numbers from above 0 up to 1, evenly spread. */
export type Random = () => number;

/** 2^32 divided by the golden ratio: steps of it never meet each other. */
const STEP = 0x9e_37_79_b9;

/**
 * A generator of its own for each seed: a counter whose values are scrambled (the finaliser of MurmurHash3), so that
 * neighbouring seeds have nothing in common. Period 2^32; not for secrets.
 */
export function seededRandom(seed: number): Random {
  let counter = scramble(seed | 0);
  return () => {
    counter = (counter + STEP) | 0;
    return ((scramble(counter) >>> 0) + 1) / 2 ** 32;
  };
}

/** A normal deviate of mean 0 and deviation 1: Box and Muller's way to make one of two even numbers. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** The time to the next of events that come at random with this mean distance: an exponential deviate. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(random());
}

function scramble(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85_eb_ca_6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2_b2_ae_35);
  return mixed ^ (mixed >>> 16);
}
