import type { AddedTokenJson, ConfigToken, TokenizerConfig, TokenizerJson } from './tokenizer-json.js';

/** The fields that name a special token each. */
export const NAMED = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

/**
 * The added tokens of `tokenizer.json` and `tokenizer_config.json`, combined as in Transformers 5:
 * `added_tokens_decoder` overrides `tokenizer.json`; a special token that is named there is found in a text even if
 * `tokenizer.json` has it only in the vocabulary.
 *
 * A token that no vocabulary knows is skipped. Transformers gives it an id, but the model was trained without it.
 */
export function withConfiguredTokens(json: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const listed = json.added_tokens ?? [];
  const decoder = Object.entries(config.added_tokens_decoder ?? {})
    .map(([id, token]) => ({ id: Number(id), token: propertiesOf(token, false) }))
    .sort((left, right) => left.id - right.id);
  const overridden = listed.map((token) => {
    const other = decoder.find(({ token: { content } }) => content === token.content)?.token;
    return other === undefined ? token : { ...token, ...other, id: token.id };
  });
  const wanted = [...decoder.map(({ token }) => token), ...namedIn(config)];
  const known = new Set(overridden.map(({ content }) => content));
  const missing = wanted.filter(({ content }) => {
    if (known.has(content)) return false;
    known.add(content);
    return true;
  });
  if (missing.length === 0) return { ...json, added_tokens: overridden };
  const idOf = vocabularyIdsOf(json);
  const added = missing.flatMap((token): AddedTokenJson[] => {
    const id = idOf(token.content);
    return id === undefined ? [] : [{ ...token, id }];
  });
  return { ...json, added_tokens: [...overridden, ...added] };
}

type Properties = Omit<AddedTokenJson, 'id'>;

function propertiesOf(token: ConfigToken, normalized: boolean): Properties {
  if (typeof token === 'string') return { content: token, special: true, normalized };
  return {
    content: token.content ?? '',
    single_word: token.single_word ?? false,
    lstrip: token.lstrip ?? false,
    rstrip: token.rstrip ?? false,
    normalized: token.normalized ?? token.special !== true,
    special: token.special ?? false,
  };
}

function namedIn(config: TokenizerConfig): Properties[] {
  const extra = config.extra_special_tokens ?? config.additional_special_tokens ?? [];
  const extras: readonly ConfigToken[] = Array.isArray(extra) ? extra : Object.values(extra);
  const named = NAMED.flatMap((name) => config[name] ?? []);
  return [...named, ...extras].map((token) => ({ ...propertiesOf(token, false), special: true }));
}

function vocabularyIdsOf({ model }: TokenizerJson): (token: string) => number | undefined {
  const vocab = model?.vocab;
  if (Array.isArray(vocab)) {
    const ids = new Map(vocab.map(([piece]: [string, number], id): [string, number] => [piece, id]));
    return (token) => ids.get(token);
  }
  const ids = (vocab ?? {}) as Readonly<Record<string, number>>;
  return (token) => (Object.hasOwn(ids, token) ? ids[token] : undefined);
}

/** The id of a token, be it added or in the vocabulary. */
export function tokenIdsOf(json: TokenizerJson): (token: string) => number | undefined {
  const added = new Map((json.added_tokens ?? []).map(({ content, id }) => [content, id]));
  const idOf = vocabularyIdsOf(json);
  return (token) => added.get(token) ?? idOf(token);
}
