import type { Computed } from '../../../src/cache/types.js';
import type { DeployableVersion } from '../../../src/models/deployment.js';
import type { FormerVersion } from '../../../src/models/former-version.js';
import type { LabelFlips, ModelState, ModelVersionView } from '../../../src/models/types.js';
import type { TextInput } from '../../../src/tokenizer/types.js';

/** A version whose sessions come and go by hand, and whose end is let come. */
export class FakeVersion implements DeployableVersion {
  state: ModelState = 'serving';
  isClosing = false;
  isBusy = false;
  memoryBytes = 0;
  /** What the system says of its sessions. */
  measuredBytes = 0;
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

  get digest(): string {
    return this.view.digest;
  }

  get former(): FormerVersion<TextInput> {
    const { name, version, folderIdentity, digest, view } = this;
    return {
      ...{ name, version, folderIdentity, digest, view, labels: view.labels },
      ...{
        problemType: 'single_label_classification',
        appliedActivation: undefined,
        defaultTruncation: 'end',
      },
      entryShape: { labelCount: 2, maxTokens: 8 },
      cacheKey: ({ text }) => `${name}/${version} ${text}`,
    };
  }

  async measureMemory(): Promise<void> {
    this.memoryBytes = this.measuredBytes;
  }

  compute(): Promise<Computed> {
    return Promise.resolve({
      entry: { logits: Float32Array.of(0, 1), tokenCount: 3, truncated: false },
      timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, batchSize: 1 },
    });
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
