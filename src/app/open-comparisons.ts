import type { ResultCache } from '../cache/types.js';
import { LiveComparisons } from '../comparison/live-comparisons.js';
import type { ComparisonHooks } from '../comparison/types.js';
import type { ModelRegistry } from '../models/model-registry.js';
import type { ModelVersion } from '../models/model-version.js';
import type { Rollbacks } from '../models/types.js';
import type { TextInput } from '../tokenizer/types.js';

export interface ComparisonsStart {
  readonly registry: ModelRegistry<ModelVersion<TextInput>>;
  readonly cache: Pick<ResultCache, 'resolve'>;
  readonly rollbacks: () => Rollbacks;
  readonly hooks: ComparisonHooks;
}

/** Compares versions as the state file says, from its first reading on. */
export function openComparisons({ registry, cache, rollbacks, hooks }: ComparisonsStart): LiveComparisons {
  const comparisons = new LiveComparisons({
    versions: registry,
    cache,
    rollBack: (model, rule, evidence) => rollbacks().rollBack(model, rule, evidence),
    hooks,
    random: Math.random,
    now: () => performance.now(),
  });
  registry.onChange(() => comparisons.refresh());
  return comparisons;
}
