import type { JsonObject } from '../models/json-file.js';
import { SourceError } from './source-error.js';

/** Models whose `vocab.txt` is a WordPiece vocabulary with BERT's special tokens. MPNet has one too, with tokens of its own. */
const FAMILIES = new Set(['bert', 'convbert', 'distilbert', 'electra', 'mobilebert']);

const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/**
 * The tokenizer.json of a model that has only a `vocab.txt`: what Transformers makes of it for BERT's kin. Which case and accents
 * it keeps is left to tokenizer_config.json, which overrides it.
 *
 * @throws SourceError for another kind of model, or a vocabulary without the special tokens
 */
export function wordPieceTokenizer(source: string, vocabulary: string, config: JsonObject): JsonObject {
  const family = typeof config.model_type === 'string' ? config.model_type : undefined;
  if (family === undefined || !FAMILIES.has(family)) {
    throw new SourceError(
      `${source} holds no tokenizer.json, and a vocab.txt alone does not tell how a model of ${family === undefined ? 'no known type' : `type ${family}`} splits words: ` +
        "save one with Transformers' AutoTokenizer",
    );
  }
  const vocab = idsOf(vocabulary);
  const idOf = (token: string): number => {
    const id = vocab.get(token);
    if (id === undefined) throw new SourceError(`${source}: its vocab.txt lacks ${token}`);
    return id;
  };
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const single = [special('[CLS]', 0), text('A', 0), special('[SEP]', 0)];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content) => ({
      id: idOf(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, text('B', 1), special('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab),
    },
  };
}

/** A token per line; the last line may end with the file. */
function idsOf(vocabulary: string): Map<string, number> {
  const lines = vocabulary.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return new Map(lines.map((token, id) => [token, id]));
}
