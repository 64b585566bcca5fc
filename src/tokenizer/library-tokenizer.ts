import { Tokenizer } from '@huggingface/tokenizers';

/** What of `tokenizer.json` is read here; the library reads the rest. */
export interface TokenizerJson {
  readonly normalizer?: { readonly type?: string; readonly lowercase?: boolean } | null;
  readonly pre_tokenizer?: { readonly type?: string } | null;
  readonly model?: { readonly type?: string };
  readonly post_processor?: PostProcessorJson | null;
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

interface PostProcessorJson {
  readonly type?: string;
  readonly processors?: readonly PostProcessorJson[];
}

/** What of `tokenizer_config.json` is read here. */
export interface TokenizerConfig {
  readonly pad_token?: string | { readonly content?: string } | null;
  readonly remove_space?: boolean;
  readonly do_lowercase_and_remove_accent?: boolean;
}

/** The part of the library that is used; its own declarations do not resolve under `nodenext`. */
interface Library {
  encode(
    text: string,
    options: { text_pair?: string; add_special_tokens: boolean; return_token_type_ids: boolean },
  ): { readonly ids: number[]; readonly token_type_ids?: readonly number[] };
  token_to_id(token: string): number | undefined;
}
type LibraryConstructor = new (json: TokenizerJson, config: TokenizerConfig) => Library;

const LibraryTokenizerClass: LibraryConstructor = Tokenizer;

/** The one place that knows `@huggingface/tokenizers`. It neither truncates nor pads; see HfTokenizer. */
export class LibraryTokenizer {
  readonly #library: Library;
  readonly #hasOneType: boolean;

  constructor(json: TokenizerJson, config: TokenizerConfig) {
    this.#library = new LibraryTokenizerClass(json, config);
    this.#hasOneType = isRoberta(json.post_processor);
  }

  /** The ids of a text, without special tokens. */
  idsOf(text: string): number[] {
    return this.#library.encode(text, { add_special_tokens: false, return_token_type_ids: false }).ids;
  }

  /** Ids and token types of a text or a pair of non-empty texts, with special tokens, as the model is trained on them. */
  withSpecials(text: string, textPair?: string): { ids: readonly number[]; types: readonly number[] } {
    const encoded = this.#library.encode(text, {
      ...(textPair === undefined ? {} : { text_pair: textPair }),
      add_special_tokens: true,
      return_token_type_ids: true,
    });
    return { ids: encoded.ids, types: this.#hasOneType ? [] : (encoded.token_type_ids ?? []) };
  }

  idOf(token: string): number | undefined {
    return this.#library.token_to_id(token);
  }
}

/** RoBERTa's post-processor knows one token type, 0; the library gives its second text the type 1. */
function isRoberta(json: PostProcessorJson | null | undefined): boolean {
  return json?.type === 'RobertaProcessing' || (json?.processors ?? []).some(isRoberta);
}
