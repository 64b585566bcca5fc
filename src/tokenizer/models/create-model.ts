import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import { Bpe } from './bpe.js';
import type { Model } from './model.js';
import { Unigram } from './unigram.js';
import { WordLevel } from './word-level.js';
import { WordPiece } from './word-piece.js';

/** @throws Error naming the model, or the setting of it, that is not supported */
export function createModel(json: ComponentJson | undefined): Model {
  if (json === undefined) throw unsupported('a tokenizer without a model', 'there is none');
  const type = json.type ?? typeByFields(json);
  switch (type) {
    case 'WordPiece':
      return new WordPiece({ ...json, type });
    case 'BPE':
      return new Bpe({ ...json, type });
    case 'Unigram':
      return new Unigram(json);
    case 'WordLevel':
      return new WordLevel({ ...json, type });
    default:
      throw unsupported(`the model ${json.type}`, 'there is no such component');
  }
}

/** Old files do not name a type. */
function typeByFields(json: ComponentJson): string {
  if (Array.isArray(json.vocab)) return 'Unigram';
  if (json.merges !== undefined) return 'BPE';
  return json.max_input_chars_per_word === undefined ? 'WordLevel' : 'WordPiece';
}
