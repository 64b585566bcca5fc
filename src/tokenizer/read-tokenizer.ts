import { isObject, shown } from './checked-values.js';
import { HfTokenizer } from './hf-tokenizer.js';
import type { SharedBytes, TokenizerFiles } from './tokenizer-files.js';
import type { TokenizerJson } from './tokenizer-json.js';
import { withTokenizerClass } from './transformers-class.js';

/** Creates a tokenizer from its files. Blocks the calling thread. @throws Error naming the file, without its folder */
export function readTokenizer(files: TokenizerFiles): HfTokenizer {
  const config = parse(files.tokenizerConfigJson, 'tokenizer_config.json');
  const model = parse(files.configJson, 'config.json');
  const json: TokenizerJson = parse(files.tokenizerJson, 'tokenizer.json');
  return new HfTokenizer(json, withTokenizerClass(config, model), files.maxTokens);
}

/** {} if there is no such file. */
function parse(bytes: SharedBytes | undefined, name: string): object {
  if (bytes === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(textOf(bytes));
  } catch (error) {
    throw new Error(`${name}: not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(json)) throw new Error(`${name}: it holds ${shown(json)}, not an object`);
  return json;
}

function textOf(bytes: SharedBytes): string {
  return Buffer.from(bytes.buffer).toString('utf8');
}
