import { checkFlags, idIn, isObject, listIn, objectIn, shown, stringIn } from './checked-values.js';
import { type TokenizerJson, unsupported } from './tokenizer-json.js';

/** The kinds of components, by the field that holds one, and what holds those of a sequence. */
const COMPONENTS = [
  ['normalizer', 'the normalizer', 'normalizers'],
  ['pre_tokenizer', 'the pre-tokenizer', 'pretokenizers'],
  ['post_processor', 'the post-processor', 'processors'],
] as const;

/** Sequences in sequences: nobody needs as many. */
const MAX_DEPTH = 32;

/** What is true or false in whatever component has it. */
const FLAGS = [
  ...[
    'clean_text',
    'handle_chinese_chars',
    'strip_accents',
    'lowercase',
    'strip_left',
    'strip_right',
    'invert',
  ],
  ...[
    'add_prefix_space',
    'use_regex',
    'split',
    'individual_digits',
    'byte_fallback',
    'fuse_unk',
    'ignore_merges',
  ],
];
const TOKEN_FLAGS = ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'];

/**
 * What was read from `tokenizer.json`, if it has the shape that the rest of the code takes for granted: components are
 * objects, ids are ids, a vocabulary is one. What fields of its own a component has, the component checks.
 * @throws Error naming the part and the field
 */
export function checkedTokenizer(json: unknown): TokenizerJson {
  if (!isObject(json)) throw unsupported('the file', `it holds ${shown(json)}, not an object`);
  for (const [field, part, list] of COMPONENTS) checkComponent(json[field], part, list);
  if (json.model !== undefined) checkModel(objectIn(json.model, 'the file', 'model'));
  listIn(json.added_tokens ?? [], 'the file', 'added_tokens').forEach(checkAddedToken);
  return json;
}

function checkComponent(json: unknown, part: string, list: string, depth = 0): void {
  if (json === undefined || json === null) return;
  if (!isObject(json)) throw unsupported(part, `it is ${shown(json)}, not an object`);
  const named = `${part} ${stringIn(json.type, part, 'type')}`;
  checkFlags(json, FLAGS, named);
  if (json.type !== 'Sequence') return;
  if (depth >= MAX_DEPTH) throw unsupported(named, `it is nested more than ${MAX_DEPTH} times`);
  for (const component of listIn(json[list], named, list)) {
    checkComponent(objectIn(component, named, `list ${list}`), part, list, depth + 1);
  }
}

function checkModel(json: Readonly<Record<string, unknown>>): void {
  const { type } = json;
  const part =
    (type ?? undefined) === undefined ? 'the model' : `the model ${stringIn(type, 'the model', 'type')}`;
  checkFlags(json, FLAGS, part);
  if (Array.isArray(json.vocab)) checkPieces(json.vocab, part);
  else {
    for (const [token, id] of Object.entries(objectIn(json.vocab, part, 'vocab'))) {
      idIn(id, part, `vocab[${shown(token)}]`);
    }
  }
}

/** Pieces with their scores, as a Unigram lists them. */
function checkPieces(vocab: readonly unknown[], part: string): void {
  vocab.forEach((pair, index) => {
    const [piece, score] = Array.isArray(pair) ? pair : [];
    if (typeof piece === 'string' && Number.isFinite(score)) return;
    throw unsupported(part, `its vocab[${index}] is ${shown(pair)}, which is no piece with a finite score`);
  });
}

function checkAddedToken(json: unknown, index: number): void {
  const token = objectIn(json, 'the file', `added_tokens[${index}]`);
  const content = stringIn(token.content, `the added token ${index}`, 'content');
  const part = `the added token ${shown(content)}`;
  idIn(token.id, part, 'id');
  checkFlags(token, TOKEN_FLAGS, part);
}
