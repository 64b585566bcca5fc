import type { DeployableVersion } from '../../../src/models/deployment.js';
import type { LabelFlips, ModelState, ModelVersionView } from '../../../src/models/types.js';

/** A version whose sessions come and go by hand, and whose end is let come. */
export class FakeVersion implements DeployableVersion {
  state: ModelState = 'serving';
  isClosing = false;
  /** Whether it was told to refuse what it still holds. */
  isCutOff = false;
  end: (how?: Promise<void>) => void = () => {};
  readonly flips: LabelFlips | undefined;
  readonly #ended = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  constructor(
    readonly name: string,
    readonly version: string,
    readonly folderIdentity = '',
  ) {}

  get view(): ModelVersionView {
    return {
      ...{ version: this.version, state: this.state, stateReason: '', labels: ['NO', 'YES'] },
      ...{ problemType: 'single_label_classification', maxTokens: 8, batchBudgetTokens: 256 },
      ...{ precision: 'fp32', device: 'cpu', digest: `sha256:${this.version}`, batching: 'padded' },
      ...{ appliedActivation: undefined, defaultTruncation: 'end', readyInstances: 1, instances: 1 },
      ...{ cost: { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 }, costSamples: [], memoryBytes: 0 },
    };
  }

  drain(): void {
    this.state = 'draining';
  }

  close(signal: AbortSignal): Promise<void> {
    this.isClosing = true;
    this.isCutOff = signal.aborted;
    return this.#ended;
  }
}
