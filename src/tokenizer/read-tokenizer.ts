import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HfTokenizer } from './hf-tokenizer.js';
import type { TokenizerSource } from './thread-messages.js';
import { withTokenizerClass } from './transformers-class.js';

/**
 * Reads a tokenizer from its files, and from the `config.json` beside them, which may tell the tokenizer's class. Blocks
 * the calling thread for as long. @throws Error naming no file
 */
export function readTokenizer({
  tokenizerJsonPath,
  tokenizerConfigPath,
  maxTokens,
}: TokenizerSource): HfTokenizer {
  const config = readJson(tokenizerConfigPath);
  const model = readJson(join(dirname(tokenizerConfigPath), 'config.json'));
  const json = JSON.parse(readFileSync(tokenizerJsonPath, 'utf8'));
  return new HfTokenizer(json, withTokenizerClass(config, model), maxTokens);
}

/** {} where there is no such file. */
function readJson(path: string): object {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}
