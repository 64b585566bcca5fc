import { lowercase } from './lowercase.js';
import { normalize } from './normalize.js';
import { CONTROLS, NONSPACING_MARKS } from './unicode-tables.js';

/** The fields of a `BertNormalizer`. */
export interface BertNormalizerOptions {
  readonly clean_text?: boolean;
  readonly handle_chinese_chars?: boolean;
  /** null: as `lowercase` */
  readonly strip_accents?: boolean | null;
  readonly lowercase?: boolean;
}

const PLAIN = /^[\n\r\t -~]*$/;
const REMOVED = new RegExp(`[${CONTROLS}]`, 'gu');
const ACCENTS = new RegExp(`[${NONSPACING_MARKS}]`, 'gu');
const SPACES = /\p{White_Space}/gu;
/** The blocks that Google's BERT calls Chinese: neither Japanese syllables nor Hangul. U+2B820 to U+2B91F are not. */
const IDEOGRAPHS =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Like `normalizers/bert.rs` of Rust `tokenizers`: it strips accents before it lowers case. */
export function bertNormalizer(options: BertNormalizerOptions): (text: string) => string {
  const cleans = options.clean_text ?? true;
  const splits = options.handle_chinese_chars ?? true;
  const lowers = options.lowercase ?? true;
  const strips = options.strip_accents ?? lowers;
  return (original) => {
    let text = original;
    if (PLAIN.test(text)) {
      if (cleans) text = text.replace(/[\t\n\r]/g, ' ');
      return lowers ? text.toLowerCase() : text;
    }
    if (cleans) text = text.replace(REMOVED, '').replace(SPACES, ' ');
    if (splits) text = text.replace(IDEOGRAPHS, ' $& ');
    if (strips) text = normalize(text, 'NFD').replace(ACCENTS, '');
    return lowers ? lowercase(text) : text;
  };
}
