import { withConfiguredTokens } from './configured-tokens.js';
import {
  type ComponentJson,
  componentsOf,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.js';

/** The settings of `tokenizer_config.json` that Transformers puts above what `tokenizer.json` says. */
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

/** Byte-level BPE. By default no space is put before a text, but for the second list. */
const BYTE_LEVEL: Family = {
  classes:
    'Roberta Longformer LED Bart GPT2 Deberta GPTNeoX CodeGen Luke MarkupLM Whisper Cohere Qwen2'.split(' '),
  apply: (json, config) => withPrefixSpace(json, config.add_prefix_space ?? false),
};
const BYTE_LEVEL_SPACED: Family = {
  classes: ['Blenderbot', 'LayoutLMv3'],
  apply: (json, config) => withPrefixSpace(json, config.add_prefix_space ?? true),
};

const METASPACE: Family = {
  classes: 'XLMRoberta Camembert BigBird Barthez LayoutXLM XGLM'.split(' '),
  apply: (json, config) => withPrependScheme(json, config.add_prefix_space === false ? 'never' : 'always'),
};

const ALBERT: Family = {
  classes: ['Albert', 'FNet'],
  apply: (json, config) =>
    withPrependScheme(
      withCase(json, { lowers: config.do_lower_case ?? true, keeps: config.keep_accents ?? false }),
      config.add_prefix_space === false ? 'never' : 'always',
    ),
};
const REMBERT: Family = {
  classes: ['RemBert'],
  apply: (json, config) =>
    withPrependScheme(
      withCase(json, { lowers: config.do_lower_case ?? false, keeps: config.keep_accents ?? true }),
      config.add_prefix_space === false ? 'never' : 'always',
    ),
};
/** It has a setting keep_accents, which Transformers does not obey. */
const XLNET: Family = {
  classes: ['XLNet'],
  apply: (json, config) => withCase(json, { lowers: config.do_lower_case ?? false, keeps: false }),
};

const DEBERTA_V2: Family = {
  classes: ['DebertaV2'],
  apply: (json, config) => {
    const steps = componentsOf(json.normalizer).filter(({ type }) => type !== 'Lowercase');
    const words = componentsOf(json.pre_tokenizer).filter(({ type }) => type !== 'Punctuation');
    return withPrependScheme(
      {
        ...json,
        normalizer: sequence('normalizers', [
          ...(config.do_lower_case === true ? [{ type: 'Lowercase' }] : []),
          ...steps,
        ]),
        pre_tokenizer: sequence('pretokenizers', [
          ...(config.split_by_punct === true ? [{ type: 'Punctuation', behavior: 'Isolated' }] : []),
          ...words,
        ]),
      },
      config.add_prefix_space === false ? 'first' : 'always',
    );
  },
};

const FAMILIES = [BERT, BYTE_LEVEL, BYTE_LEVEL_SPACED, METASPACE, ALBERT, REMBERT, XLNET, DEBERTA_V2];

/**
 * A tokenizer as Transformers 5 (5.23.0) makes it of both files: its classes build their normalizer and pre-tokenizer from
 * the settings in `tokenizer_config.json`, or from the defaults of the class, and take from `tokenizer.json` the rest. What
 * neither a setting nor the class decides stays as `tokenizer.json` has it, and so does everything under the generic classes
 * (`PreTrainedTokenizerFast`, `TokenizersBackend`) and those unknown here. `add_bos_token` and `add_eos_token` change nothing
 * beside a `tokenizer.json`.
 */
export function asTransformersReads(json: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const name = classOf(config);
  const family = FAMILIES.find(({ classes }) => name !== undefined && classes.includes(name));
  const components = family?.apply(json, config) ?? json;
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

function withPrependScheme(json: TokenizerJson, scheme: 'always' | 'never' | 'first'): TokenizerJson {
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

/** Accents go and letters are lowered, or not, before the charsmap and after the quotation marks are replaced. */
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
