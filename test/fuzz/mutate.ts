import type { Random } from '../../src/simulation/random.js';

/** Values at which lengths, tags and counts change their meaning. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff] as const;
const MOST_CHANGES = 4;

const below = (random: Random, end: number) => Math.min(end - 1, Math.floor(random() * end));

/** A copy of the bytes with one to four changes: flipped, overwritten, inserted, removed, repeated, cut, or taken from `other`. */
export function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let changes = 1 + below(random, MOST_CHANGES); changes > 0; changes--)
    mutated = changed(mutated, other, random);
  return mutated;
}

function changed(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = below(random, bytes.length + 1);
  const length = 1 + below(random, 16);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (below(random, 8)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = EDGES[below(random, EDGES.length)] ?? 0;
      return bytes;
    case 2:
      return Buffer.concat([head, Buffer.from(Array.from({ length }, () => below(random, 256))), tail]);
    case 3:
      return Buffer.concat([head, tail.subarray(length)]);
    case 4:
      return Buffer.concat([head, tail.subarray(0, length), tail]);
    case 5:
      return Buffer.from(head);
    case 6:
      // A varint that goes on for too long, or says too much.
      return Buffer.concat([head, Buffer.alloc(length, 0xff), tail]);
    default: {
      const from = below(random, other.length + 1);
      return Buffer.concat([head, other.subarray(from, from + 4 * length), tail.subarray(length)]);
    }
  }
}
