import { byteLevel } from '../byte-alphabet.js';
import { patternIn, stringIn } from '../checked-values.js';
import { matchesOf, onigurumaRegExp } from '../oniguruma.js';
import { type ComponentJson, componentsOf, unsupported } from '../tokenizer-json.js';
import { type BertNormalizerOptions, bertNormalizer } from './bert-normalizer.js';
import { Charsmap } from './charsmap.js';
import { lowercase } from './lowercase.js';
import { nmt } from './nmt.js';
import { normalize } from './normalize.js';
import { MARKS } from './unicode-tables.js';

const ACCENTS = new RegExp(`[${MARKS}]`, 'gu');

/** Changes a text before it is cut into words. */
export type Normalizer = (text: string) => string;

/** @throws Error naming the component that is not supported */
export function createNormalizer(json: ComponentJson | null | undefined): Normalizer {
  const steps = componentsOf(json).map(createStep);
  return (text) => steps.reduce((changed, step) => step(changed), text);
}

/** Whether a normalizer may remove characters at the start of the text. */
export function mayDropStart(json: ComponentJson | null | undefined): boolean {
  return componentsOf(json).some(
    ({ type, ...fields }) =>
      type === 'BertNormalizer' ||
      type === 'StripAccents' ||
      type === 'Nmt' ||
      (type === 'Strip' && fields.strip_left === true) ||
      (type === 'Replace' && fields.content === ''),
  );
}

function createStep(json: ComponentJson): Normalizer {
  switch (json.type) {
    case 'BertNormalizer':
      return bertNormalizer(json as BertNormalizerOptions);
    case 'Precompiled': {
      const charsmap = new Charsmap(json.precompiled_charsmap);
      return (text) => charsmap.normalize(text);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = json.type;
      return (text) => normalize(text, form);
    }
    case 'Lowercase':
      return lowercase;
    case 'StripAccents':
      return (text) => text.replace(ACCENTS, '');
    case 'Nmt':
      return nmt;
    case 'ByteLevel':
      return byteLevel;
    case 'Replace':
      return replace(json);
    case 'Prepend': {
      const start = stringIn(json.prepend, 'the normalizer Prepend', 'prepend');
      if (start === '') throw unsupported('the normalizer Prepend', 'it prepends nothing');
      return (text) => (text === '' ? '' : start + text);
    }
    case 'Strip':
      return strip(json);
    default:
      throw unsupported(`the normalizer ${json.type}`, 'there is no such component');
  }
}

function strip({ strip_left, strip_right }: ComponentJson): Normalizer {
  return (text) => {
    const left = strip_left === true ? text.replace(/^\p{White_Space}+/u, '') : text;
    return strip_right === true ? trimEnd(left) : left;
  };
}

/** Avoids `\s+$`, which takes quadratic time on runs of white space in the middle. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function replace({ pattern, content }: ComponentJson): Normalizer {
  const part = 'the normalizer Replace';
  const found = patternIn(pattern, part);
  const by = stringIn(content, part, 'content');
  if (!('expression' in found)) {
    const { text: literal = '' } = found;
    if (literal === '') throw unsupported(part, 'its pattern is empty');
    return (text) => text.replaceAll(literal, () => by);
  }
  const expression = onigurumaRegExp(found.expression, part);
  return (text) => {
    let result = '';
    let last = 0;
    for (const { start, end } of matchesOf(text, expression)) {
      result += text.slice(last, start) + by;
      last = end;
    }
    return last === 0 ? result + text : result + text.slice(last);
  };
}
