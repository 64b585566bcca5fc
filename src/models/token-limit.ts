import type { GraphFacts } from './graph-facts.js';
import type { JsonObject } from './json-file.js';

/** Used where nothing sets a limit. */
const FALLBACK_MAX_TOKENS = 512;

/** Tokenisers without a limit of their own write a number like 1e30. */
const MOST_BELIEVED = 1_000_000;

/** What the families call the number of positions that they were built for. */
const POSITION_FIELDS = [
  'max_position_embeddings',
  'n_positions',
  'n_ctx',
  'max_seq_len',
  'max_seq_length',
  'max_sequence_length',
  'seq_length',
];

/**
 * RoBERTa and its kin number positions from the padding id + 1. The graph tells it; these are those whose graph may have
 * been rewritten by an optimiser.
 */
const COUNT_FROM_PAD_ID = new Set([
  'camembert',
  'data2vec-text',
  'ibert',
  'layoutlmv3',
  'lilt',
  'longformer',
  'luke',
  'markuplm',
  'mpnet',
  'roberta',
  'roberta-prelayernorm',
  'xlm-roberta',
  'xlm-roberta-xl',
  'xmod',
]);

/** RoBERTa's padding id, where config.json does not give one. */
const ROBERTA_PAD_ID = 1;

/**
 * Tokens that a model reads at most, special tokens included: the least of what its configuration, its tokeniser and its
 * table of positions allow. Below 1: they leave no room for a text.
 */
export function tokenLimit(
  config: JsonObject,
  tokenizerConfig: JsonObject,
  graphs: readonly Partial<GraphFacts>[],
): number {
  const unused = unusedPositions(config, graphs);
  const configured = POSITION_FIELDS.map((field) => positiveInteger(config[field]));
  const tables = graphs.map(({ positions }) => positions);
  const positions = [...configured, ...tables].filter(isBelieved).map((count) => count - unused);
  const limits = [...positions, positiveInteger(tokenizerConfig.model_max_length)].filter(isBelieved);
  return limits.length === 0 ? FALLBACK_MAX_TOKENS : Math.min(...limits);
}

/** Positions at the start of the table that hold no token: the first token stands right behind them. */
export function unusedPositions(config: JsonObject, graphs: readonly Partial<GraphFacts>[]): number {
  for (const { positionsFromPadId } of graphs) {
    if (positionsFromPadId !== undefined) return positionsFromPadId + 1;
  }
  if (!COUNT_FROM_PAD_ID.has(String(config.model_type))) return 0;
  const padId = config.pad_token_id;
  return (typeof padId === 'number' && Number.isInteger(padId) && padId >= 0 ? padId : ROBERTA_PAD_ID) + 1;
}

function isBelieved(limit: number | undefined): limit is number {
  return limit !== undefined && limit <= MOST_BELIEVED;
}

function positiveInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}
