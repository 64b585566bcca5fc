import { readFileSync, writeFileSync } from 'node:fs';

/** Words that bring a vocabulary to some 9 MB of JSON, as multilingual models have; it takes a second to read. */
const WORDS = 420_000;

/** Writes a tokenizer like another one to a file, with hundreds of thousands of words more. */
export function writeLargeTokenizer(from: string, to: string): void {
  const json = JSON.parse(readFileSync(from, 'utf8'));
  const { vocab } = json.model;
  const first = Object.keys(vocab).length;
  for (let word = 0; word < WORDS; word++) vocab[`word${word.toString(36)}x`] = first + word;
  writeFileSync(to, JSON.stringify(json));
}
