import type { TextInput, Truncation } from './types.js';

/** One input on its way to a tokenizer thread. */
export interface TextJob {
  /** Number of the tokenizer, as given when it was loaded. */
  readonly tokenizer: number;
  readonly input: TextInput;
  readonly truncation: Truncation;
  /** Most tokens that the input may have, special tokens included. */
  readonly maxTokens: number;
}

/** Jobs without an object for each, which makes a message cheap to copy. */
export interface PackedJobs {
  /** For each job its text, and the second text of a pair after it. */
  readonly texts: readonly string[];
  /** For each job: tokenizer x 8 + (4 if a pair) + truncation. */
  readonly codes: readonly number[];
  /** For each job: `maxTokens`. */
  readonly limits: readonly number[];
}

const TRUNCATIONS = ['end', 'start', 'reject'] as const satisfies readonly Truncation[];

export function packJobs(jobs: readonly TextJob[]): PackedJobs {
  const texts: string[] = [];
  const codes: number[] = [];
  const limits: number[] = [];
  for (const { tokenizer, input, truncation, maxTokens } of jobs) {
    limits.push(maxTokens);
    texts.push(input.text);
    if (input.textPair !== undefined) texts.push(input.textPair);
    codes.push(tokenizer * 8 + (input.textPair === undefined ? 0 : 4) + TRUNCATIONS.indexOf(truncation));
  }
  return { texts, codes, limits };
}

/** Calls `use` for every job, in order. */
export function unpackJobs(packed: PackedJobs, use: (job: TextJob) => void): void {
  let next = 0;
  packed.codes.forEach((code, index) => {
    const text = packed.texts[next++] ?? '';
    const input = (code & 4) === 0 ? { text } : { text, textPair: packed.texts[next++] ?? '' };
    const maxTokens = packed.limits[index] ?? 0;
    use({ tokenizer: code >> 3, input, truncation: TRUNCATIONS[code & 3] ?? 'end', maxTokens });
  });
}
