/** The types of tensors of numbers that the server answers with. */
export type NumberType = 'FP32' | 'INT32';

const numberBytes = 4;

/** The elements of a tensor of numbers as they lie in memory, the lowest byte first. */
export function writeNumbers(datatype: NumberType, numbers: readonly number[]): Buffer {
  const raw = Buffer.allocUnsafe(numbers.length * numberBytes);
  for (const [at, value] of numbers.entries()) {
    if (datatype === 'FP32') raw.writeFloatLE(value, at * numberBytes);
    else raw.writeInt32LE(value, at * numberBytes);
  }
  return raw;
}

/** The numbers that {@link writeNumbers} has written. */
export function readNumbers(datatype: NumberType, raw: Buffer): number[] {
  return Array.from({ length: raw.length / numberBytes }, (_, at) =>
    datatype === 'FP32' ? raw.readFloatLE(at * numberBytes) : raw.readInt32LE(at * numberBytes),
  );
}
