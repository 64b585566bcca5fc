import { tokenIdsOf, withConfiguredTokens } from './configured-tokens.js';
import { rebuilt } from './rebuilt-tokenizers.js';
import {
  type ComponentJson,
  componentsOf,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.js';

/** The settings of `tokenizer_config.json` that override `tokenizer.json` in Transformers. */
interface Family {
  readonly classes: readonly string[];
  apply(json: TokenizerJson, config: TokenizerConfig): TokenizerJson;
}

const BERT: Family = {
  classes:
    'Bert DistilBert Electra MobileBert SqueezeBert LayoutLM LayoutLMv2 Lxmert ConvBert MPNet Funnel Splinter DPRContextEncoder DPRQuestionEncoder DPRReader'.split(
      ' ',
    ),
  apply: (json, config) => {
    if (json.model?.type !== 'WordPiece') return json;
    return {
      ...json,
      normalizer: {
        type: 'BertNormalizer',
        clean_text: classOf(config) === 'Funnel' ? (config.clean_text ?? true) : true,
        handle_chinese_chars: config.tokenize_chinese_chars ?? true,
        strip_accents: config.strip_accents ?? null,
        lowercase: config.do_lower_case ?? true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
    };
  },
};

/** Byte-level BPE. By default no space is added before a text, except for the second list. */
const BYTE_LEVEL: Family = {
  classes: 'Roberta Longformer LED Bart GPT2 GPTNeoX CodeGen Luke MarkupLM Whisper Cohere Qwen2'.split(' '),
  apply: (json, config) => withPrefixSpace(json, config.add_prefix_space ?? false),
};
const BYTE_LEVEL_SPACED: Family = {
  classes: ['Blenderbot', 'LayoutLMv3'],
  apply: (json, config) => withPrefixSpace(json, config.add_prefix_space ?? true),
};

const LAYOUT_XLM: Family = {
  classes: ['LayoutXLM'],
  apply: (json, config) => withPrependScheme(json, config.add_prefix_space === false ? 'never' : 'always'),
};

/** Its class frames pairs by itself, with two separators between the texts and no token types. */
const DEBERTA: Family = {
  classes: ['Deberta'],
  apply: (json, config) => {
    const spaced = withPrefixSpace(json, config.add_prefix_space ?? false);
    const idOf = tokenIdsOf(json);
    const [cls, sep] = [config.cls_token ?? '[CLS]', config.sep_token ?? '[SEP]'].map((token) =>
      idOf(typeof token === 'string' ? token : (token.content ?? '')),
    );
    if (cls === undefined || sep === undefined) return spaced;
    return {
      ...spaced,
      normalizer: null,
      post_processor: { type: 'RobertaProcessing', cls: ['', cls], sep: ['', sep] },
    };
  },
};

/** It has a setting keep_accents, which Transformers ignores. */
const XLNET: Family = {
  classes: ['XLNet'],
  apply: (json, config) => withCase(json, { lowers: config.do_lower_case ?? false, keeps: false }),
};

const FAMILIES = [BERT, BYTE_LEVEL, BYTE_LEVEL_SPACED, DEBERTA, LAYOUT_XLM, XLNET];

/**
 * A tokenizer as Transformers 5 (5.23.0) builds it from both files: its classes take their normalizer and pre-tokenizer
 * from the settings in `tokenizer_config.json`, or from the defaults of the class, and the rest from `tokenizer.json`.
 * Anything that neither a setting nor the class decides stays as in `tokenizer.json`, and so does everything with the
 * generic classes (`PreTrainedTokenizerFast`, `TokenizersBackend`) and unknown ones. `add_bos_token` and
 * `add_eos_token` have no effect if there is a `tokenizer.json`.
 */
export function asTransformersReads(json: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const name = classOf(config);
  const family = FAMILIES.find(({ classes }) => name !== undefined && classes.includes(name));
  const components = family?.apply(json, config) ?? rebuilt(name ?? '', json, config);
  return withConfiguredTokens(
    { ...components, encode_special_tokens: config.split_special_tokens === true },
    config,
  );
}

/** `BertTokenizer` and `BertTokenizerFast` are one class. */
function classOf({ tokenizer_class }: TokenizerConfig): string | undefined {
  return tokenizer_class?.replace(/Tokenizer(Fast)?$/, '');
}

function withPrefixSpace(json: TokenizerJson, adds: boolean): TokenizerJson {
  return withPreTokenizer(json, 'ByteLevel', { add_prefix_space: adds });
}

function withPrependScheme(json: TokenizerJson, scheme: 'always' | 'never'): TokenizerJson {
  return withPreTokenizer(json, 'Metaspace', {
    prepend_scheme: scheme,
    add_prefix_space: scheme !== 'never',
  });
}

function withPreTokenizer(json: TokenizerJson, type: string, fields: object): TokenizerJson {
  const components = componentsOf(json.pre_tokenizer);
  if (!components.some((component) => component.type === type)) return json;
  const changed = components.map((component) =>
    component.type === type ? { ...component, ...fields } : component,
  );
  return { ...json, pre_tokenizer: sequence('pretokenizers', changed) };
}

/** Strips accents and lowers case, if set, after replacing quotation marks and before the charsmap. */
function withCase(
  json: TokenizerJson,
  { lowers, keeps }: { lowers: boolean; keeps: boolean },
): TokenizerJson {
  const steps = componentsOf(json.normalizer).filter(
    ({ type }) => type !== 'NFKD' && type !== 'StripAccents' && type !== 'Lowercase',
  );
  const place = steps.findIndex(({ type }) => type !== 'Replace');
  const before = steps.slice(0, place < 0 ? steps.length : place);
  return {
    ...json,
    normalizer: sequence('normalizers', [
      ...before,
      ...(keeps ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
      ...(lowers ? [{ type: 'Lowercase' }] : []),
      ...steps.slice(before.length),
    ]),
  };
}

function sequence(
  list: 'normalizers' | 'pretokenizers',
  components: readonly ComponentJson[],
): ComponentJson {
  const [only, ...others] = components;
  return only !== undefined && others.length === 0 ? only : { type: 'Sequence', [list]: components };
}
