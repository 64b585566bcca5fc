import {
  type ComponentJson,
  componentsOf,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.js';

/**
 * What the SentencePiece classes of Transformers 5 make of a `tokenizer.json`: they take the vocabulary and the charsmap from
 * it, and put their own normalizer and pre-tokenizer in place of those in the file, which Transformers 4 wrote differently.
 */
export function rebuilt(name: string, json: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const build = json.model?.type === 'Unigram' ? UNIGRAM[name] : undefined;
  if (build !== undefined) return { ...json, ...build(config, charsmapOf(json)) };
  // The class also stands in files of byte-level tokenizers, which it cannot read.
  if (name === 'Llama' && json.model?.byte_fallback === true) return { ...json, ...llama(config) };
  return json;
}

type Parts = Pick<TokenizerJson, 'normalizer' | 'pre_tokenizer'>;
type Build = (config: TokenizerConfig, charsmap: readonly ComponentJson[]) => Parts;

const QUOTES = ['``', "''"].map((marks) => ({ type: 'Replace', pattern: { String: marks }, content: '"' }));
const ACCENTS = [{ type: 'NFKD' }, { type: 'StripAccents' }];
const LOWER = { type: 'Lowercase' };
const WORDS = { type: 'WhitespaceSplit' };
const TIDY = [
  replaceAll('\\s{2,}|[\\n\\r\\t]', ' '),
  { type: 'NFC' },
  { type: 'Strip', strip_left: false, strip_right: true },
];

const xlmRoberta: Build = (config, charsmap) => ({
  normalizer: sequence('normalizers', charsmap),
  pre_tokenizer: sequence('pretokenizers', [WORDS, metaspace(config)]),
});

const albert: Build = (config, charsmap) => ({
  normalizer: sequence('normalizers', [
    ...QUOTES,
    ...((config.keep_accents ?? false) ? [] : ACCENTS),
    ...((config.do_lower_case ?? true) ? [LOWER] : []),
    ...charsmap,
  ]),
  pre_tokenizer: sequence('pretokenizers', [WORDS, metaspace(config)]),
});

const UNIGRAM: Readonly<Record<string, Build>> = {
  XLMRoberta: xlmRoberta,
  Camembert: xlmRoberta,
  Albert: albert,
  FNet: albert,
  RemBert: (config, charsmap) => ({
    normalizer: sequence('normalizers', [
      ...QUOTES,
      replaceAll(' {2,}', ' '),
      ...((config.keep_accents ?? true) ? [] : ACCENTS),
      ...((config.do_lower_case ?? false) ? [LOWER] : []),
      ...charsmap,
    ]),
    pre_tokenizer: metaspace(config),
  }),
  BigBird: (config) => ({ normalizer: replaceAll(' {2,}', '▁'), pre_tokenizer: metaspace(config) }),
  Barthez: (config) => ({ normalizer: sequence('normalizers', TIDY), pre_tokenizer: metaspace(config) }),
  XGLM: (config, charsmap) => ({
    normalizer: sequence('normalizers', [...charsmap, replaceAll(' {2,}', ' ')]),
    pre_tokenizer: metaspace(config),
  }),
  DebertaV2: (config) => ({
    normalizer: sequence('normalizers', [...((config.do_lower_case ?? false) ? [LOWER] : []), ...TIDY]),
    pre_tokenizer: sequence('pretokenizers', [
      ...((config.split_by_punct ?? false) ? [{ type: 'Punctuation', behavior: 'Isolated' }] : []),
      metaspace(config, 'first'),
    ]),
  }),
};

function llama(config: TokenizerConfig): Parts {
  const spaced = (config.legacy ?? false) ? 'always' : 'first';
  const scheme = config.add_prefix_space === false ? 'never' : spaced;
  return { normalizer: null, pre_tokenizer: { ...METASPACE, prepend_scheme: scheme, split: false } };
}

const METASPACE = { type: 'Metaspace', replacement: '▁' };

/** @param unspaced the scheme without `add_prefix_space` */
function metaspace(config: TokenizerConfig, unspaced: 'never' | 'first' = 'never'): ComponentJson {
  return {
    ...METASPACE,
    prepend_scheme: config.add_prefix_space === false ? unspaced : 'always',
    split: true,
  };
}

function replaceAll(pattern: string, content: string): ComponentJson {
  return { type: 'Replace', pattern: { Regex: pattern }, content };
}

function charsmapOf({ normalizer }: TokenizerJson): ComponentJson[] {
  return componentsOf(normalizer)
    .filter(({ type }) => type === 'Precompiled')
    .slice(0, 1);
}

function sequence(
  list: 'normalizers' | 'pretokenizers',
  components: readonly ComponentJson[],
): ComponentJson {
  return { type: 'Sequence', [list]: components };
}
