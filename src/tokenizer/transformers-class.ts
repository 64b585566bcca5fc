import type { TokenizerConfig } from './tokenizer-json.js';

/** The parts of a model's `config.json` that affect its tokenizer. */
export interface ModelConfig {
  readonly model_type?: string;
  readonly tokenizer_class?: string | null;
}

/** Settings that only mean something with a class. */
const SETTINGS = [
  'do_lower_case',
  'strip_accents',
  'tokenize_chinese_chars',
  'keep_accents',
  'add_prefix_space',
  'split_by_punct',
] as const;

/** The class of a model type, for classes whose settings matter: `TOKENIZER_MAPPING_NAMES` of Transformers 5.23.0. */
const CLASS_OF_TYPE: Readonly<Record<string, string>> = {
  albert: 'Albert',
  bart: 'Roberta',
  bert: 'Bert',
  big_bird: 'BigBird',
  camembert: 'Camembert',
  convbert: 'Bert',
  'data2vec-text': 'Roberta',
  deberta: 'Deberta',
  'deberta-v2': 'DebertaV2',
  distilbert: 'Bert',
  electra: 'Bert',
  ernie: 'Bert',
  fnet: 'FNet',
  funnel: 'Funnel',
  gpt2: 'GPT2',
  gpt_neo: 'GPT2',
  gpt_neox: 'GPTNeoX',
  gptj: 'GPT2',
  ibert: 'Roberta',
  layoutlm: 'Bert',
  led: 'LED',
  longformer: 'Roberta',
  luke: 'Luke',
  'megatron-bert': 'Bert',
  mobilebert: 'MobileBert',
  mpnet: 'MPNet',
  nezha: 'Bert',
  opt: 'GPT2',
  phi: 'GPT2',
  qdqbert: 'Bert',
  qwen3: 'Qwen2',
  rembert: 'RemBert',
  roberta: 'Roberta',
  'roberta-prelayernorm': 'Roberta',
  splinter: 'Splinter',
  squeezebert: 'Bert',
  starcoder2: 'GPT2',
  'xlm-roberta': 'XLMRoberta',
  xlnet: 'XLNet',
  xmod: 'XLMRoberta',
  yoso: 'Albert',
};

/**
 * Model types whose class in `tokenizer_config.json` Transformers 5.23.0 knows to be wrong, and replaces with the
 * generic one: those of `MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS` that read text.
 */
const GENERIC_TYPES: ReadonlySet<string> = new Set(
  (
    'arctic ernie4_5 ernie4_5_moe h2ovl_chat hyperclovax internlm2 internlm3 jamba minicpm3 minimax_m2 modernbert ' +
    'modernbert-decoder nemotron phi3 phimoe qwen2 qwen3_5 qwen3_5_moe camembertv2-base smolvlm'
  ).split(' '),
);

/**
 * The configuration with the class that Transformers' `AutoTokenizer` takes: the one it names, else the one in
 * `config.json`, else that of the model type. A configuration without settings for a class gets none, so that
 * `tokenizer.json` counts; Transformers would take the defaults of the class.
 */
export function withTokenizerClass(config: TokenizerConfig, model: ModelConfig): TokenizerConfig {
  const type = model.model_type ?? '';
  if (GENERIC_TYPES.has(type)) return { ...config, tokenizer_class: null };
  if (config.tokenizer_class) return config;
  const says = SETTINGS.some((setting) => config[setting] !== undefined);
  return {
    ...config,
    tokenizer_class: model.tokenizer_class ?? (says ? (CLASS_OF_TYPE[type] ?? null) : null),
  };
}
