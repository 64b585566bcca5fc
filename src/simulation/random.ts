/** Numbers from above 0 up to 1, evenly spread. */
export type Random = () => number;

/** 2^32 divided by the golden ratio: a counter with this step visits every value. */
const STEP = 0x9e_37_79_b9;

/**
 * A separate generator for each seed: a counter with scrambled values (the finaliser of MurmurHash3), so that
 * neighbouring seeds have nothing in common. Period 2^32; not for secrets.
 */
export function seededRandom(seed: number): Random {
  let counter = scramble(seed | 0);
  return () => {
    counter = (counter + STEP) | 0;
    return ((scramble(counter) >>> 0) + 1) / 2 ** 32;
  };
}

/** A normal deviate of mean 0 and deviation 1, by the Box-Muller transform. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

/** The time to the next random event at this mean interval: an exponential deviate. */
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
