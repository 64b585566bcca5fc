import { isObject, shown } from './checked-values.js';
import { NAMED } from './configured-tokens.js';
import type { TokenizerConfig } from './tokenizer-json.js';

const FLAGS = [
  ...['add_bos_token', 'add_eos_token', 'do_lower_case', 'strip_accents', 'tokenize_chinese_chars'],
  ...['clean_text', 'keep_accents', 'add_prefix_space', 'split_by_punct', 'legacy', 'split_special_tokens'],
];

/**
 * What was read from `tokenizer_config.json`, if what is used of it has the shape that the rest of the code takes for
 * granted. @throws Error naming the field
 */
export function checkedConfig(json: unknown): TokenizerConfig {
  if (!isObject(json)) throw misshapen('it', json, 'no object');
  const { tokenizer_class, added_tokens_decoder, additional_special_tokens, extra_special_tokens } = json;
  if (typeof (tokenizer_class ?? '') !== 'string') {
    throw misshapen('its tokenizer_class', tokenizer_class, 'no string');
  }
  for (const field of FLAGS) {
    const value = json[field];
    if (typeof (value ?? false) !== 'boolean')
      throw misshapen(`its ${field}`, value, 'neither true nor false');
  }
  for (const field of NAMED) checkToken(json[field] ?? '', `its ${field}`);
  checkTokens(added_tokens_decoder ?? {}, 'added_tokens_decoder', isObject(added_tokens_decoder ?? {}));
  checkTokens(additional_special_tokens ?? [], 'additional_special_tokens', true);
  checkTokens(extra_special_tokens ?? [], 'extra_special_tokens', true);
  return json;
}

function checkTokens(json: unknown, field: string, isOfKind: boolean): void {
  if (!isOfKind || typeof json !== 'object' || json === null) {
    throw misshapen(`its ${field}`, json, 'not of tokens');
  }
  for (const [key, token] of Object.entries(json)) checkToken(token, `its ${field}[${shown(key)}]`);
}

function checkToken(json: unknown, what: string): void {
  const content = isObject(json) ? json.content : json;
  if (typeof content !== 'string') throw misshapen(what, json, 'no token');
}

function misshapen(what: string, value: unknown, problem: string): Error {
  return new Error(`tokenizer_config.json: ${what} is ${shown(value)}, which is ${problem}`);
}
