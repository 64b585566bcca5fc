import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ComponentJson, TokenizerConfig, TokenizerJson } from '../../../src/tokenizer/tokenizer-json.js';

const FOLDER = resolve('test/fixtures/tokenizers');

type Ids = readonly number[];

/** What training/record_tokenizers.py recorded of one family of tokenizers. */
interface Recorded {
  readonly tokenizer: TokenizerJson;
  readonly ids: readonly Ids[];
  readonly newer: readonly Ids[];
  readonly pairs: readonly (readonly [Ids, Ids])[];
}

export const FAMILIES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json.gz') && name !== 'configs.json.gz')
  .map((name) => name.slice(0, -'.json.gz'.length));

export const {
  texts,
  newer,
  pairs,
}: {
  readonly texts: readonly string[];
  readonly newer: readonly number[];
  readonly pairs: readonly (readonly [string, string])[];
} = JSON.parse(readFileSync(resolve(FOLDER, 'texts.json'), 'utf8'));

/** A text around a newer code point. */
export function textAround(point: number): string {
  const character = String.fromCodePoint(point);
  return `a${character}b ${character} x${character}${character}`;
}

export function recordedOf(family: string): Recorded {
  const recorded: Recorded = unzipped(`${family}.json.gz`);
  return { ...recorded, tokenizer: withCharsmaps(recorded.tokenizer) };
}

/** What training/record_tokenizer_configs.py recorded. */
export interface RecordedConfig {
  readonly family: string;
  readonly model_type: string;
  readonly config: TokenizerConfig;
  readonly ids: readonly Ids[];
}

export const recordedConfigs = (): readonly RecordedConfig[] => unzipped('configs.json.gz');

/** The same change as `adapted` in training/record_tokenizer_configs.py. */
export function adapted(family: string): TokenizerJson {
  const json = recordedOf(family).tokenizer;
  const steps = json.normalizer?.normalizers as ComponentJson[] | undefined;
  if (family === 'albert') {
    return { ...json, normalizer: { type: 'Sequence', normalizers: steps?.slice(0, -1) } };
  }
  if (family !== 'deberta-v3') return json;
  const normalizers = [
    { type: 'Replace', pattern: { Regex: '\\s{2,}|[\\n\\r\\t]' }, content: ' ' },
    { type: 'NFC' },
    { type: 'Strip', strip_left: false, strip_right: true },
  ];
  return { ...json, normalizer: { type: 'Sequence', normalizers }, model: { ...json.model, unk_id: 3 } };
}

function withCharsmaps(json: TokenizerJson): TokenizerJson {
  const steps = json.normalizer?.normalizers as ComponentJson[] | undefined;
  if (steps === undefined) return json;
  const normalizers = steps.map((step) =>
    step.type === 'Precompiled'
      ? { ...step, precompiled_charsmap: gunzipped(String(step.precompiled_charsmap)) }
      : step,
  );
  return { ...json, normalizer: { ...json.normalizer, normalizers } };
}

function unzipped<T>(name: string): T {
  return JSON.parse(gunzipped(name));
}

function gunzipped(name: string): string {
  return gunzipSync(readFileSync(resolve(FOLDER, name))).toString();
}
