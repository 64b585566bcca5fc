import type { EncodeResult } from './hf-tokenizer.js';

/** The outcome of a job; `failed`: the tokenizer threw. */
export type JobResult = EncodeResult | { readonly kind: 'failed' };

/** Per job: tokens (or their number, if it is too long), pair start, outcome. */
const HEADER_INTS = 3;
const ENCODED = 0;
const TRUNCATED = 1;
const TOO_LONG = 2;
const FAILED = 3;

/** All results in one array: the headers, then the ids one after another. */
export function packResults(results: readonly JobResult[]): Int32Array<ArrayBuffer> {
  let length = results.length * HEADER_INTS;
  for (const result of results) if (result.kind === 'encoding') length += result.encoding.ids.length;
  const packed = new Int32Array(length);
  let header = 0;
  let at = results.length * HEADER_INTS;
  for (const result of results) {
    if (result.kind === 'encoding') {
      const { ids, pairStart, truncated } = result.encoding;
      packed.set([ids.length, pairStart, truncated ? TRUNCATED : ENCODED], header);
      packed.set(ids, at);
      at += ids.length;
    } else {
      packed.set(result.kind === 'too_long' ? [result.tokens, 0, TOO_LONG] : [0, 0, FAILED], header);
    }
    header += HEADER_INTS;
  }
  return packed;
}

/** Calls `use` for every result, in order. The ids are views of the packed array. */
export function unpackResults(
  packed: Int32Array,
  count: number,
  use: (index: number, result: JobResult) => void,
): void {
  let at = count * HEADER_INTS;
  for (let index = 0; index < count; index++) {
    const tokens = packed[index * HEADER_INTS] ?? 0;
    const pairStart = packed[index * HEADER_INTS + 1] ?? 0;
    const outcome = packed[index * HEADER_INTS + 2];
    if (outcome === TOO_LONG) use(index, { kind: 'too_long', tokens });
    else if (outcome === ENCODED || outcome === TRUNCATED) {
      const ids = packed.subarray(at, at + tokens);
      at += tokens;
      use(index, { kind: 'encoding', encoding: { ids, pairStart, truncated: outcome === TRUNCATED } });
    } else use(index, { kind: 'failed' });
  }
}
