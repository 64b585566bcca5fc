import { byteLevel } from '../byte-alphabet.js';
import { idIn, patternIn, stringIn } from '../checked-values.js';
import { mayDropStart } from '../normalizers/create-normalizer.js';
import { PUNCTUATION } from '../normalizers/unicode-tables.js';
import { matchesOf, onigurumaRegExp } from '../oniguruma.js';
import { type ComponentJson, componentsOf, type TokenizerJson, unsupported } from '../tokenizer-json.js';
import { metaspace } from './metaspace.js';
import type { PreTokenizer } from './pre-tokenizer.js';
import { type SplitBehaviour, splitAt, splitBehaviourOf } from './split.js';

const BERT_WORDS = new RegExp(`[^\\p{White_Space}${PUNCTUATION}]+|[${PUNCTUATION}]`, 'gu');
const PUNCTUATION_MARK = new RegExp(`[${PUNCTUATION}]`, 'gu');
/** The word characters of Rust's crate regex (UTS 18, Annex C); JavaScript's are only ASCII. */
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
const UNSPACED = /\P{White_Space}+/gu;
const NUMERIC = /\p{N}/gu;
/** GPT-2's pattern, from `pre_tokenizers/byte_level.rs` of Rust `tokenizers`. White space is Unicode's. */
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** @throws Error naming the component that is not supported */
export function createPreTokenizer({ normalizer, pre_tokenizer }: TokenizerJson): PreTokenizer {
  const components = componentsOf(pre_tokenizer);
  checkStarts(components, normalizer);
  const steps = components.map(createStep);
  const [only, ...others] = steps;
  if (only === undefined) return (text) => [text];
  if (others.length === 0) return only;
  return (text, isStart) => steps.reduce((words, step) => cutFurther(words, step, text, isStart), [text]);
}

/** A step that changes characters loses track of whether a word begins where the text does. */
function checkStarts(components: readonly ComponentJson[], normalizer: TokenizerJson['normalizer']): void {
  const asks = components.findLastIndex(
    ({ type, prepend_scheme }) => type === 'Metaspace' && prepend_scheme === 'first',
  );
  if (asks < 0) return;
  const before = components.slice(0, asks).find(({ type }) => type === 'ByteLevel' || type === 'Metaspace');
  if (before === undefined && !mayDropStart(normalizer)) return;
  throw unsupported(
    'the pre-tokenizer Metaspace with the prepend_scheme first',
    `${before === undefined ? 'the normalizer' : `the pre-tokenizer ${before.type}`} hides what it looks for, the start of the text`,
  );
}

/** A word begins where the text does only if it is the first, and no pre-tokenizer has removed what was before it. */
function cutFurther(words: readonly string[], step: PreTokenizer, text: string, isStart: boolean): string[] {
  const [first] = words;
  const startsText = isStart && first !== undefined && text.startsWith(first);
  return words.flatMap((word, index) => step(word, startsText && index === 0));
}

function createStep(json: ComponentJson): PreTokenizer {
  switch (json.type) {
    case 'BertPreTokenizer':
      return (text) => text.match(BERT_WORDS) ?? [];
    case 'Whitespace':
      return (text) => text.match(WORDS) ?? [];
    case 'WhitespaceSplit':
      return (text) => text.match(UNSPACED) ?? [];
    case 'Punctuation':
      return splitter(
        PUNCTUATION_MARK,
        splitBehaviourOf(json.behavior ?? 'Isolated', 'the pre-tokenizer Punctuation'),
      );
    case 'Digits':
      return splitter(NUMERIC, json.individual_digits === true ? 'Isolated' : 'Contiguous');
    case 'CharDelimiterSplit':
      return splitter(
        literal(stringIn(json.delimiter, 'the pre-tokenizer CharDelimiterSplit', 'delimiter')),
        'Removed',
      );
    case 'Split':
      return split(json);
    case 'ByteLevel':
      return gpt2(json.add_prefix_space === true, json.use_regex !== false);
    case 'Metaspace':
      return metaspace(json);
    case 'FixedLength':
      return fixedLength(json.length ?? 5);
    default:
      throw unsupported(`the pre-tokenizer ${json.type}`, 'there is no such component');
  }
}

function splitter(expression: RegExp, behaviour: SplitBehaviour, inverted = false): PreTokenizer {
  return (text) => splitAt(text, matchesOf(text, expression), behaviour, inverted);
}

function split({ pattern, behavior, invert }: ComponentJson): PreTokenizer {
  const part = 'the pre-tokenizer Split';
  const found = patternIn(pattern, part);
  const behaviour = splitBehaviourOf(behavior, part);
  if (!('expression' in found) && !found.text) throw unsupported(part, 'its pattern is empty');
  const expression =
    'expression' in found ? onigurumaRegExp(found.expression, part) : literal(found.text ?? '');
  return splitter(expression, behaviour, invert === true);
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu');
}

function gpt2(addsSpace: boolean, cuts: boolean): PreTokenizer {
  return (text) => {
    const spaced = addsSpace && !text.startsWith(' ') ? ` ${text}` : text;
    const words = cuts ? (spaced.match(GPT2_WORDS) ?? []) : [spaced];
    return words.map(byteLevel);
  };
}

function fixedLength(given: unknown): PreTokenizer {
  const length = idIn(given, 'the pre-tokenizer FixedLength', 'length');
  if (length === 0) throw unsupported('the pre-tokenizer FixedLength', 'its length is 0');
  return (text) => {
    const characters = Array.from(text);
    return Array.from({ length: Math.ceil(characters.length / length) }, (_, index) =>
      characters.slice(index * length, (index + 1) * length).join(''),
    );
  };
}
