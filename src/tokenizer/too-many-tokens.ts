import { invalidField, type VerdictError } from '../errors.js';

/** The refusal of an input that is longer than the model reads, under truncation `reject`. */
export function tooManyTokens(field: 'text' | 'pair', tokens: number, maxTokens: number): VerdictError {
  return invalidField(
    field,
    `is ${tokens} tokens long, special tokens included; the model reads at most ${maxTokens}`,
  );
}
