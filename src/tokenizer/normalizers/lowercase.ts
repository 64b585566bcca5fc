/**
 * Lower case of each character by itself, as Rust's `char::to_lowercase` has it. JavaScript looks at the neighbours of one
 * letter: a sigma that ends a word becomes ς (SpecialCasing.txt of Unicode, condition Final_Sigma).
 */
export function lowercase(text: string): string {
  return (text.includes('Σ') ? text.replaceAll('Σ', 'σ') : text).toLowerCase();
}
