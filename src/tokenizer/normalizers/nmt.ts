/** Control characters to remove; the others in the list become white space. */
const CONTROLS = String.raw`\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f`;
const REMOVED = new RegExp(`[${CONTROLS}]`, 'g');
const SPACES = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

/** Like `do_nmt` in `normalizers/unicode.rs` of Rust `tokenizers`: SentencePiece's nmt, without NFKC. */
export function nmt(text: string): string {
  return text.replace(REMOVED, '').replace(SPACES, ' ');
}
