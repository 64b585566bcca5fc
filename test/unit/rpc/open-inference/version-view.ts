import type { ModelVersionView } from '../../../../src/models/types.js';

/** A version that serves, with three labels. */
export const versionView = (number: string, rest: Partial<ModelVersionView> = {}): ModelVersionView => ({
  ...{ version: number, state: 'serving', stateReason: '', labels: ['a', 'b', 'c'], problemType: undefined },
  ...{ maxTokens: 512, batchBudgetTokens: 1, precision: 'fp32', device: 'cpu', digest: `sha256:${number}` },
  ...{ batching: 'padded', appliedActivation: undefined, defaultTruncation: 'end', readyInstances: 1 },
  ...{
    instances: 1,
    cost: { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 },
    costSamples: [],
    memoryBytes: 0,
  },
  ...rest,
});
