import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Precision } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';
import { type JsonObject, readJsonObject } from './json-file.js';
import { defaultLabels, readLabels, readProblemType } from './labels.js';
import { refuseLfsPointer } from './lfs-pointer.js';
import { ModelLoadError } from './model-load-error.js';
import { readModeration } from './moderation.js';
import { tokenLimit, unusedPositions } from './token-limit.js';
import type { Moderation, ProblemType } from './types.js';
import { findWeights, type Weights } from './weights.js';

/** What a version's folder says about itself: the Hub's layout for sequence classification. */
export interface ModelManifest {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
  /** The family of its architecture, such as `distilbert`, as config.json gives it. */
  readonly modelType: string | undefined;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  /** Special tokens included. */
  readonly maxTokens: number;
  readonly defaultTruncation: Truncation;
  /** The id that pads a batch, as config.json gives it; undefined: the tokeniser's. */
  readonly padId: number | undefined;
  /** The position of the first token. */
  readonly firstPosition: number;
  /** The precisions whose weights exist. Never empty. */
  readonly weights: Partial<Record<Precision, Weights>>;
  readonly tokenizerJsonPath: string;
  readonly tokenizerConfigPath: string;
  readonly goldenPath: string;
  /** Undefined: it serves no moderator. */
  readonly moderation: Moderation | undefined;
}

export interface ManifestOptions {
  /** Tokens that are read at most, whatever the model could read; undefined: as many as it can. */
  readonly maxTokens?: number | undefined;
  /**
   * Opens the weights and tells how wide their output is: for a model that neither names its labels nor declares it.
   * Left out: such a model is refused.
   */
  readonly probeLabelCount?: (weights: Weights) => Promise<number>;
}

/**
 * Reads `<directory>/{config,tokenizer_config}.json` and looks which weights are there, and what their graphs say.
 *
 * @throws ModelLoadError naming the file and what it should hold; what `probeLabelCount` throws
 */
export async function readManifest(
  name: string,
  version: string,
  directory: string,
  options: ManifestOptions = {},
): Promise<ModelManifest> {
  const configPath = join(directory, 'config.json');
  const tokenizerJsonPath = join(directory, 'tokenizer.json');
  const tokenizerConfigPath = join(directory, 'tokenizer_config.json');
  const config = await readJsonObject(configPath);
  const tokenizerConfig = (await exists(tokenizerConfigPath))
    ? await readJsonObject(tokenizerConfigPath)
    : {};
  await refuseLfsPointer(tokenizerJsonPath);
  const weights = await findWeights(directory);
  const labels =
    readLabels(configPath, config) ?? (await unnamedLabels(configPath, config, weights, options));
  const problemType = readProblemType(configPath, config, labels.length);
  return {
    name,
    version,
    directory,
    modelType: typeof config.model_type === 'string' ? config.model_type : undefined,
    labels,
    problemType,
    maxTokens: readMaxTokens(configPath, config, tokenizerConfig, weights, options.maxTokens),
    defaultTruncation: tokenizerConfig.truncation_side === 'left' ? 'start' : 'end',
    padId: readPadId(config),
    firstPosition: unusedPositions(config, graphsOf(weights)),
    weights,
    tokenizerJsonPath,
    tokenizerConfigPath,
    goldenPath: join(directory, 'golden.json'),
    moderation: await readModeration(directory, labels, problemType),
  };
}

/** As many as the output is wide: as its graph says, or as a run shows. */
async function unnamedLabels(
  configPath: string,
  config: JsonObject,
  weights: ModelManifest['weights'],
  { probeLabelCount }: ManifestOptions,
): Promise<string[]> {
  const usable = Object.values(weights).filter(({ problem }) => problem === undefined);
  for (const { facts } of usable) {
    if (facts.labelCount !== undefined) return defaultLabels(configPath, config, facts.labelCount);
  }
  const [first] = usable;
  if (first === undefined || probeLabelCount === undefined) {
    throw new ModelLoadError(configPath, 'id2label must map 0, 1, ... to label names');
  }
  return defaultLabels(configPath, config, await probeLabelCount(first));
}

function readMaxTokens(
  configPath: string,
  config: JsonObject,
  tokenizerConfig: JsonObject,
  weights: ModelManifest['weights'],
  cap: number | undefined,
): number {
  const limit = tokenLimit(config, tokenizerConfig, graphsOf(weights));
  if (limit < 1) throw new ModelLoadError(configPath, 'its number of positions leaves no room for a token');
  return cap === undefined ? limit : Math.min(limit, cap);
}

function graphsOf(weights: ModelManifest['weights']): Weights['facts'][] {
  return Object.values(weights).map(({ facts }) => facts);
}

function readPadId(config: JsonObject): number | undefined {
  const id = config.pad_token_id;
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 ? id : undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
