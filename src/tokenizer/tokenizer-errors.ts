import { invalidField, VerdictError } from '../errors.js';
import type { TextInput } from './types.js';

/** The refusal of an input that is longer than the model reads, under truncation `reject`. */
export function tooManyTokens(input: TextInput, tokens: number, maxTokens: number): VerdictError {
  return invalidField(
    fieldOf(input),
    `is ${tokens} tokens long, special tokens included; the model reads at most ${maxTokens}`,
  );
}

/** The refusal of an input of which nothing is left to read: white space to a model without special tokens, for instance. */
export function noTokens(input: TextInput): VerdictError {
  return invalidField(fieldOf(input), "the model's tokenizer finds no token in it");
}

/** Two threads ended while they worked on the input, the second one on it alone. */
export function threadLost(reason: string): VerdictError {
  return new VerdictError('internal', 'the input could not be tokenised', {
    reason: 'TOKENIZER_LOST',
    cause: `the tokenizer thread ${reason}`,
  });
}

/** The tokenizer threw; its message is only for the log. */
export function tokenizerFailed(cause: string | undefined): VerdictError {
  return new VerdictError('internal', 'the input could not be tokenised', {
    reason: 'TOKENIZER_FAILED',
    cause,
  });
}

/** No tokenizer thread has answered for so long that texts no longer wait. */
export function tokenizerAway(): VerdictError {
  return new VerdictError('unavailable', 'the tokeniser does not answer; it is being replaced', {
    reason: 'TOKENIZER_AWAY',
  });
}

function fieldOf(input: TextInput): 'text' | 'pair' {
  return input.textPair === undefined ? 'text' : 'pair';
}
