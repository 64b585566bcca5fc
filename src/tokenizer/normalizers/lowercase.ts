/**
 * Lowers each character separately, like Rust's `char::to_lowercase`. JavaScript looks at the neighbours of one letter:
 * a sigma at the end of a word becomes ς (SpecialCasing.txt of Unicode, condition Final_Sigma).
 */
export function lowercase(text: string): string {
  return (text.includes('Σ') ? text.replaceAll('Σ', 'σ') : text).toLowerCase();
}
