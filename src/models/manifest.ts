import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Precision } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';
import { isJsonObject, type JsonObject, readJsonObject } from './json-file.js';
import { ModelLoadError } from './model-load-error.js';
import type { ProblemType } from './types.js';

/** Where the Hub's naming puts the weights of each precision. */
const WEIGHT_FILES = {
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
  int8: 'onnx/model_quantized.onnx',
} as const satisfies Record<Precision, string>;

const PROBLEM_TYPES: readonly ProblemType[] = [
  'single_label_classification',
  'multi_label_classification',
  'regression',
];

/** Used where neither config.json nor tokenizer_config.json sets a limit. */
const FALLBACK_MAX_TOKENS = 512;

/** RoBERTa and its kin number positions from the padding id + 1, so two of them hold no token. */
const POSITION_OFFSET_FAMILIES = new Set(['roberta', 'xlm-roberta', 'camembert', 'longformer', 'mpnet']);

/** What a version's folder says about itself: the Hub's layout for sequence classification. */
export interface ModelManifest {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  /** Special tokens included. */
  readonly maxTokens: number;
  readonly defaultTruncation: Truncation;
  /** The id that pads a batch, as config.json gives it; undefined: the tokeniser's. */
  readonly padId: number | undefined;
  /** The precisions whose weights exist, as absolute paths. Never empty. */
  readonly weights: Partial<Record<Precision, string>>;
  readonly tokenizerJsonPath: string;
  readonly tokenizerConfigPath: string;
  readonly goldenPath: string;
}

/**
 * Reads `<directory>/{config,tokenizer_config}.json` and looks which weights are there.
 *
 * @throws ModelLoadError naming the file and what it should hold
 */
export async function readManifest(name: string, version: string, directory: string): Promise<ModelManifest> {
  const configPath = join(directory, 'config.json');
  const tokenizerJsonPath = join(directory, 'tokenizer.json');
  const tokenizerConfigPath = join(directory, 'tokenizer_config.json');
  const config = await readJsonObject(configPath);
  const tokenizerConfig = (await exists(tokenizerConfigPath))
    ? await readJsonObject(tokenizerConfigPath)
    : {};
  if (!(await exists(tokenizerJsonPath))) throw new ModelLoadError(tokenizerJsonPath, 'is missing');
  const labels = readLabels(configPath, config);
  return {
    name,
    version,
    directory,
    labels,
    problemType: readProblemType(configPath, config, labels.length),
    maxTokens: readMaxTokens(config, tokenizerConfig),
    defaultTruncation: tokenizerConfig.truncation_side === 'left' ? 'start' : 'end',
    padId: readPadId(config),
    weights: await findWeights(directory),
    tokenizerJsonPath,
    tokenizerConfigPath,
    goldenPath: join(directory, 'golden.json'),
  };
}

function readLabels(path: string, config: JsonObject): string[] {
  const id2label = config.id2label;
  if (!isJsonObject(id2label) || Object.keys(id2label).length === 0) {
    throw new ModelLoadError(path, 'id2label must map 0, 1, ... to label names');
  }
  return Array.from({ length: Object.keys(id2label).length }, (_, index) => {
    const label = id2label[String(index)];
    if (typeof label !== 'string' || label === '') {
      throw new ModelLoadError(path, `id2label.${index} must be a label name`);
    }
    return label;
  });
}

/** Without `problem_type`, Transformers takes one output for a number and several for exclusive labels. */
function readProblemType(path: string, config: JsonObject, labelCount: number): ProblemType {
  const given = config.problem_type;
  if (given === undefined || given === null)
    return labelCount === 1 ? 'regression' : 'single_label_classification';
  const known = PROBLEM_TYPES.find((type) => type === given);
  if (known === undefined)
    throw new ModelLoadError(path, `problem_type must be one of ${PROBLEM_TYPES.join(', ')}`);
  return known;
}

function readMaxTokens(config: JsonObject, tokenizerConfig: JsonObject): number {
  const offset = POSITION_OFFSET_FAMILIES.has(String(config.model_type)) ? 2 : 0;
  const positions = positiveInteger(config.max_position_embeddings);
  // Tokenisers without a limit of their own write a number like 1e30 here.
  const tokenizerLimit = positiveInteger(tokenizerConfig.model_max_length);
  const limits = [positions === undefined ? undefined : positions - offset, tokenizerLimit].filter(
    (limit): limit is number => limit !== undefined && limit <= 1_000_000,
  );
  return limits.length === 0 ? FALLBACK_MAX_TOKENS : Math.min(...limits);
}

function readPadId(config: JsonObject): number | undefined {
  const id = config.pad_token_id;
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 ? id : undefined;
}

function positiveInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}

async function findWeights(directory: string): Promise<Partial<Record<Precision, string>>> {
  const found: Partial<Record<Precision, string>> = {};
  for (const [precision, file] of Object.entries(WEIGHT_FILES) as [Precision, string][]) {
    const path = join(directory, file);
    if (await exists(path)) found[precision] = path;
  }
  if (Object.keys(found).length === 0) {
    throw new ModelLoadError(directory, `holds none of ${Object.values(WEIGHT_FILES).join(', ')}`);
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
