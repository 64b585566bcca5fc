import { invalidField, VerdictError } from '../errors.js';

/** The refusal of an input that is longer than the model reads, under truncation `reject`. */
export function tooManyTokens(field: 'text' | 'pair', tokens: number, maxTokens: number): VerdictError {
  return invalidField(
    field,
    `is ${tokens} tokens long, special tokens included; the model reads at most ${maxTokens}`,
  );
}

/** Two threads ended while they worked on the input, the second one on it alone. */
export function threadLost(reason: string): VerdictError {
  return new VerdictError('internal', 'the input could not be tokenised', {
    reason: 'TOKENIZER_LOST',
    cause: `the tokenizer thread ${reason}`,
  });
}

/** The tokenizer threw; what it said is for the log alone. */
export function tokenizerFailed(cause: string | undefined): VerdictError {
  return new VerdictError('internal', 'the input could not be tokenised', {
    reason: 'TOKENIZER_FAILED',
    cause,
  });
}

/** No tokenizer thread has answered for so long that none is waited for. */
export function tokenizerAway(): VerdictError {
  return new VerdictError('unavailable', 'the tokeniser does not answer; it is being replaced', {
    reason: 'TOKENIZER_AWAY',
  });
}
