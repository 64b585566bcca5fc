import type { ResultCache } from '../cache/types.js';
import { LiveComparisons } from '../comparison/live-comparisons.js';
import { RecentInputs } from '../comparison/recent-inputs.js';
import type { ComparisonHooks } from '../comparison/types.js';
import { WarmUps } from '../comparison/warm-ups.js';
import type { Config } from '../config.js';
import type { ModelRegistry } from '../models/model-registry.js';
import type { ModelVersion } from '../models/model-version.js';
import type { Rollbacks } from '../models/types.js';
import type { TextInput } from '../tokenizer/types.js';

export interface ComparisonsStart {
  readonly config: Pick<Config, 'models'>;
  readonly registry: ModelRegistry<ModelVersion<TextInput>>;
  readonly cache: Pick<ResultCache, 'resolve'>;
  readonly rollbacks: () => Rollbacks;
  readonly hooks: ComparisonHooks;
}

/** What looks at the inputs of callers to tell how versions differ. */
export interface OpenComparisons {
  readonly live: LiveComparisons;
  /** Undefined where no inputs are kept. */
  readonly recent: RecentInputs | undefined;
  readonly warmUps: WarmUps | undefined;
}

/** Compares versions as the state file says, from its first reading on. */
export function openComparisons(start: ComparisonsStart): OpenComparisons {
  const { config, registry, cache, rollbacks, hooks } = start;
  const { warmTexts } = config.models;
  const now = () => performance.now();
  const recent = warmTexts === 0 ? undefined : new RecentInputs(warmTexts);
  const live = new LiveComparisons({
    versions: registry,
    cache,
    recent,
    rollBack: (model, rule, evidence) => rollbacks().rollBack(model, rule, evidence),
    hooks,
    random: Math.random,
    now,
  });
  registry.onChange(() => live.refresh());
  return { live, recent, warmUps: recent && new WarmUps({ recent, cache, now }) };
}
