import { formatNumber } from '../report/format-value.js';
import type { TokenStatistics } from './inputs.js';

/** For the report: `512 texts, mean 27.1 tokens, p50 25, p95 47, max 96`. */
export function describeTokens({
  texts,
  meanTokens,
  p50Tokens,
  p95Tokens,
  maxTokens,
}: TokenStatistics): string {
  return `${texts} texts, mean ${formatNumber(meanTokens)} tokens, p50 ${Math.round(p50Tokens)}, p95 ${Math.round(p95Tokens)}, max ${maxTokens}`;
}
