/** A part of `tokenizer.json`: a normalizer, a pre-tokenizer, a model or a post-processor. */
export interface ComponentJson {
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** An entry of `added_tokens`. A missing property is false, except `normalized`. */
export interface AddedTokenJson {
  readonly id: number;
  readonly content: string;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  /** Default: whether the token is not special. */
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** The parts of `tokenizer.json` that are read. */
export interface TokenizerJson {
  readonly normalizer?: ComponentJson | null;
  readonly pre_tokenizer?: ComponentJson | null;
  readonly model?: ComponentJson;
  readonly post_processor?: ComponentJson | null;
  readonly added_tokens?: readonly AddedTokenJson[] | null;
  /** Whether special tokens in a text are read as text. In Rust `tokenizers` this is a property, not in the file. */
  readonly encode_special_tokens?: boolean;
}

/** A special token in `tokenizer_config.json`: only its name, or with its properties. */
export type ConfigToken = string | (Partial<AddedTokenJson> & { readonly __type?: string });

/** The parts of `tokenizer_config.json` that are read. */
export interface TokenizerConfig {
  readonly tokenizer_class?: string | null;
  readonly pad_token?: ConfigToken | null;
  readonly bos_token?: ConfigToken | null;
  readonly eos_token?: ConfigToken | null;
  readonly unk_token?: ConfigToken | null;
  readonly sep_token?: ConfigToken | null;
  readonly cls_token?: ConfigToken | null;
  readonly mask_token?: ConfigToken | null;
  readonly additional_special_tokens?: readonly ConfigToken[] | null;
  readonly extra_special_tokens?: readonly ConfigToken[] | Readonly<Record<string, ConfigToken>> | null;
  readonly added_tokens_decoder?: Readonly<Record<string, ConfigToken>> | null;
  readonly add_bos_token?: boolean | null;
  readonly add_eos_token?: boolean | null;
  readonly do_lower_case?: boolean | null;
  readonly strip_accents?: boolean | null;
  readonly tokenize_chinese_chars?: boolean | null;
  readonly clean_text?: boolean | null;
  readonly keep_accents?: boolean | null;
  readonly add_prefix_space?: boolean | null;
  readonly split_by_punct?: boolean | null;
  /** Of Llama: whether every part between added tokens begins with a space. */
  readonly legacy?: boolean | null;
  readonly split_special_tokens?: boolean | null;
}

/** A part that is not supported. The message names it as `tokenizer.json` does. */
export function unsupported(part: string, detail: string): Error {
  return new Error(`tokenizer.json: ${part} is not supported: ${detail}`);
}

/** The components of a sequence, whatever its list is called; any other component is returned itself. */
export function componentsOf(json: ComponentJson | null | undefined): ComponentJson[] {
  if (json === null || json === undefined) return [];
  if (json.type !== 'Sequence') return [json];
  const list = json.normalizers ?? json.pretokenizers ?? json.processors ?? [];
  return (list as ComponentJson[]).flatMap(componentsOf);
}
