import { shown, stringIn } from '../checked-values.js';
import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import type { PreTokenizer } from './pre-tokenizer.js';

/**
 * Like `pre_tokenizers/metaspace.rs` of Rust `tokenizers`: spaces become a visible mark, a text without one gets a mark
 * at its start (always, never, or where the caller's text begins), and each word begins with a mark.
 */
export function metaspace(json: ComponentJson): PreTokenizer {
  const replacement = stringIn(json.replacement, 'the pre-tokenizer Metaspace', 'replacement');
  const scheme = json.prepend_scheme ?? 'always';
  if (Array.from(replacement).length !== 1) {
    throw unsupported('the pre-tokenizer Metaspace', `its replacement is ${shown(json.replacement)}`);
  }
  if (scheme !== 'always' && scheme !== 'never' && scheme !== 'first') {
    throw unsupported('the pre-tokenizer Metaspace', `its prepend_scheme is ${shown(scheme)}`);
  }
  if (json.add_prefix_space === false && scheme !== 'never') {
    throw unsupported('the pre-tokenizer Metaspace', 'its prepend_scheme contradicts its add_prefix_space');
  }
  const splits = json.split !== false;
  return (text, isStart) => {
    const marked = text.replaceAll(' ', () => replacement);
    const lacks = !marked.startsWith(replacement) && (scheme === 'always' || (scheme === 'first' && isStart));
    const whole = lacks ? replacement + marked : marked;
    return splits ? wordsOf(whole, replacement) : [whole];
  };
}

/** Each mark begins a word. */
function wordsOf(text: string, mark: string): string[] {
  const words: string[] = [];
  let start = 0;
  while (start < text.length) {
    const next = text.indexOf(mark, start + 1);
    const end = next < 0 ? text.length : next;
    words.push(text.slice(start, end));
    start = end;
  }
  return words;
}
