import { existsSync, readFileSync } from 'node:fs';
import { HfTokenizer } from './hf-tokenizer.js';
import type { TokenizerSource } from './thread-messages.js';

/** Reads a tokenizer from its files. Blocks the calling thread for as long. @throws Error naming no file */
export function readTokenizer({
  tokenizerJsonPath,
  tokenizerConfigPath,
  maxTokens,
}: TokenizerSource): HfTokenizer {
  const config = existsSync(tokenizerConfigPath) ? readJson(tokenizerConfigPath) : {};
  return new HfTokenizer(readJson(tokenizerJsonPath), config, maxTokens);
}

function readJson(path: string): object {
  return JSON.parse(readFileSync(path, 'utf8'));
}
