import { WireType } from '@bufbuild/protobuf/wire';
import { VerdictError } from '../errors.js';
import type { FieldShape, MessageFields } from './message-fields.js';
import { invalidFields } from './validation.js';

/** Messages up to this size are decoded as they are: a field takes two bytes, and so many fields cost nothing. */
export const unscannedBytes = 1024;

/** As deep as ts-proto decodes. */
const maxDepth = 100;

/**
 * Counts the fields of a message on the wire, without decoding it: a message of a kilobyte, compressed, can hold three
 * quarters of a million empty inputs, and decoding makes objects of them before anybody can count. Stops at the first
 * limit, and where the bytes are no message: decoding tells that.
 *
 * @returns the error of a repeated field with too many elements, or of a message with too many fields; else undefined
 */
export function scanFields(bytes: Uint8Array, shape: MessageFields): VerdictError | undefined {
  return new FieldScan(bytes, shape.maxFields).run(shape, {
    start: 0,
    end: bytes.length,
    path: '',
    depth: 0,
  });
}

/** A stretch of the bytes that holds one message. */
interface Part {
  readonly start: number;
  readonly end: number;
  /** The names of the fields that lead to it, each with a dot. */
  readonly path: string;
  readonly depth: number;
}

class FieldScan {
  readonly #bytes: Uint8Array;
  readonly #maxFields: number;
  #fields = 0;
  #at = 0;

  constructor(bytes: Uint8Array, maxFields: number) {
    this.#bytes = bytes;
    this.#maxFields = maxFields;
  }

  run(shape: MessageFields, { start, end, path, depth }: Part): VerdictError | undefined {
    let counts: Map<FieldShape, number> | undefined;
    this.#at = start;
    while (this.#at < end) {
      if (++this.#fields > this.#maxFields) return tooManyFields(this.#maxFields);
      const tag = this.#varint();
      // Decoding stops here, too.
      if (tag === 0) return undefined;
      const field = shape.fields.get(tag >>> 3);
      const wireType = tag & 7;
      const next = this.#skip(wireType);
      if (next === undefined) return undefined;
      if (field !== undefined) {
        if (field.max !== undefined) {
          counts ??= new Map();
          // Packed scalars take a byte each at least.
          const isPacked = field.isPackable && wireType === WireType.LengthDelimited;
          const count = (counts.get(field) ?? 0) + (isPacked ? next - this.#at : 1);
          if (count > field.max) return tooMany(path + field.name, field.max);
          counts.set(field, count);
        }
        if (field.message !== undefined && wireType === WireType.LengthDelimited && depth < maxDepth) {
          const part = {
            start: this.#at,
            end: Math.min(next, end),
            path: `${path}${field.name}.`,
            depth: depth + 1,
          };
          const problem = this.run(field.message, part);
          if (problem !== undefined) return problem;
        }
      }
      this.#at = next;
    }
    return undefined;
  }

  /** Where the value ends; leaves `#at` at the first byte of what a length stands before. Undefined: nonsense. */
  #skip(wireType: number): number | undefined {
    switch (wireType) {
      case WireType.Varint:
        this.#varint();
        return this.#at;
      case WireType.Bit64:
        return this.#at + 8;
      case WireType.Bit32:
        return this.#at + 4;
      case WireType.LengthDelimited: {
        const length = this.#varint();
        return this.#at + length;
      }
      case WireType.StartGroup:
      case WireType.EndGroup:
        // What is in a group are fields like others: they are counted one by one, however deep the groups are.
        return this.#at;
      default:
        return undefined;
    }
  }

  /** The low 32 bits. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (shift < 35) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }
}

function tooMany(field: string, max: number): VerdictError {
  return invalidFields([{ field, description: `must have at most ${max} elements, has more` }]);
}

function tooManyFields(max: number): VerdictError {
  return new VerdictError('invalid_argument', `the message holds more than ${max} fields`, {
    reason: 'TOO_MANY_FIELDS',
  });
}
