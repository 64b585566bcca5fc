/**
 * GPT-2's alphabet: a printable character for every byte. Printable Latin-1 characters stand for themselves; the others
 * follow from U+0100, in order (`bytes_to_unicode` of OpenAI's encoder.py).
 */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  const prints = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
})();

const PRINTABLE_ASCII = /^[!-~]*$/;

/** The UTF-8 bytes of a text, each as its character. */
export function byteLevel(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text;
  let result = '';
  for (const byte of Buffer.from(text, 'utf8')) result += BYTE_CHARACTERS[byte];
  return result;
}
