import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import type { PreTokenizer } from './create-pre-tokenizer.js';

/**
 * As `pre_tokenizers/metaspace.rs` of Rust `tokenizers`: spaces become a visible mark, one is put before a text that has
 * none there (always, never, or where the caller's text begins), and each word begins with it.
 */
export function metaspace(json: ComponentJson): PreTokenizer {
  const replacement = String(json.replacement);
  const scheme = json.prepend_scheme ?? 'always';
  if (Array.from(replacement).length !== 1) {
    throw unsupported(
      'the pre-tokenizer Metaspace',
      `its replacement is ${JSON.stringify(json.replacement)}`,
    );
  }
  if (scheme !== 'always' && scheme !== 'never' && scheme !== 'first') {
    throw unsupported('the pre-tokenizer Metaspace', `its prepend_scheme is ${JSON.stringify(scheme)}`);
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
