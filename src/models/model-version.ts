import type { Batcher } from '../batching/batcher.js';
import type { CacheKey, Computed, EntryShape, Flight } from '../cache/types.js';
import type { CostCurve, CostSample } from '../cost/cost-curve.js';
import type { Device, Precision } from '../runtime/types.js';
import type { Encoding, TextInput, Tokenizer, Truncation } from '../tokenizer/types.js';
import { LengthEstimate } from './length-estimate.js';
import type { ModelManifest } from './manifest.js';
import type { SessionProof } from './prove-session.js';
import type { AppliedActivation, ModelState, ModelVersionView, ProblemType } from './types.js';

/** Counts of the runtime processes of a version. */
export interface InstanceCounts {
  readonly ready: number;
  readonly wanted: number;
}

export interface ModelVersionParts {
  readonly manifest: ModelManifest;
  readonly precision: Precision;
  readonly device: Device;
  readonly proof: SessionProof;
  readonly digest: string;
  readonly tokenizer: Tokenizer;
  readonly batcher: Batcher<Encoding, Float32Array>;
  readonly instances: () => InstanceCounts;
  /** Whether texts are tokenised at all at the moment. */
  readonly isTokenizing: () => boolean;
  readonly samples: readonly CostSample[];
  readonly calibratedCurve: CostCurve;
  readonly cacheKey: (input: TextInput, truncation: Truncation) => CacheKey;
  /** Ends the runtime processes: after their batch, or at once when the signal aborts. */
  readonly closeInstances: (signal: AbortSignal) => Promise<void>;
}

/** A loaded version of a model: it has answered known inputs correctly and computes logits. */
export class ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly defaultTruncation: Truncation;
  /** What the graph itself does to its logits; undefined: nothing. */
  readonly appliedActivation: AppliedActivation | undefined;
  readonly cacheKey: (input: TextInput, truncation: Truncation) => CacheKey;
  readonly entryShape: EntryShape;
  readonly #parts: ModelVersionParts;
  readonly #lengths: LengthEstimate;
  #draining = false;

  constructor(parts: ModelVersionParts) {
    this.name = parts.manifest.name;
    this.version = parts.manifest.version;
    this.labels = parts.manifest.labels;
    this.problemType = parts.manifest.problemType;
    this.defaultTruncation = parts.manifest.defaultTruncation;
    this.appliedActivation = parts.proof.appliedActivation;
    this.cacheKey = parts.cacheKey;
    this.entryShape = { labelCount: parts.manifest.labels.length, maxTokens: parts.tokenizer.maxTokens };
    this.#parts = parts;
    this.#lengths = new LengthEstimate(parts.tokenizer.maxTokens);
  }

  /**
   * Takes a place in the queue, tokenises the input, and waits for the run that answers it.
   *
   * @throws VerdictError invalid_argument (too long under `reject`), resource_exhausted, deadline_exceeded,
   *   cancelled (every waiter left), unavailable, internal
   */
  async compute(input: TextInput, truncation: Truncation, flight: Flight): Promise<Computed> {
    const { batcher, tokenizer } = this.#parts;
    const permit = batcher.admit(this.#lengths.tokens(input), flight);
    flight.onAbandon(() => permit.abandon());
    flight.onUrgent(() => permit.promote());
    if (permit.admitted !== undefined) await permit.admitted;
    const startedAt = performance.now();
    let encoding: Encoding;
    try {
      // What cannot be had any more is not tokenised: that is most of what a refusal would cost.
      if (permit.settled) await permit.result;
      encoding = await tokenizer.encode(input, truncation, flight);
    } catch (error) {
      permit.abandon();
      throw error;
    }
    const tokenizeMs = performance.now() - startedAt;
    if (!encoding.truncated) this.#lengths.observe(input, encoding.ids.length);
    permit.submit(encoding, encoding.ids.length);
    const { value, queueMs, runMs, batchSize } = await permit.result;
    return {
      entry: { logits: value, tokenCount: encoding.ids.length, truncated: encoding.truncated },
      timings: { tokenizeMs, queueMs, inferenceMs: runMs, batchSize },
    };
  }

  get batcher(): Batcher<Encoding, Float32Array> {
    return this.#parts.batcher;
  }

  get instances(): InstanceCounts {
    return this.#parts.instances();
  }

  get state(): ModelState {
    if (this.#draining) return 'draining';
    return this.#trouble() === '' ? 'serving' : 'failed';
  }

  /** Why it cannot serve; empty where it can. */
  #trouble(): string {
    if (this.instances.ready === 0) return 'no runtime process is able to serve; a replacement is on its way';
    if (!this.#parts.isTokenizing()) return 'no tokeniser thread answers; a replacement is on its way';
    return '';
  }

  get cost(): CostCurve {
    return this.#parts.batcher.costCurve ?? this.#parts.calibratedCurve;
  }

  get view(): ModelVersionView {
    const { manifest, precision, device, digest, samples, batcher, proof } = this.#parts;
    const { ready, wanted } = this.instances;
    return {
      version: this.version,
      state: this.state,
      stateReason: this.#trouble(),
      labels: this.labels,
      problemType: this.problemType,
      maxTokens: manifest.maxTokens,
      batchBudgetTokens: batcher.budgetTokens,
      precision,
      device,
      digest,
      batching: proof.batching,
      appliedActivation: proof.appliedActivation,
      defaultTruncation: this.defaultTruncation,
      readyInstances: ready,
      instances: wanted,
      cost: this.cost,
      costSamples: samples,
    };
  }

  /** Takes leave: from now on its state is `draining`. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Answers what is queued, then ends the runtime processes. When the signal aborts, the rest is refused, and the
   * processes are killed.
   */
  async close(signal: AbortSignal): Promise<void> {
    this.drain();
    await this.#parts.batcher.close(signal);
    await this.#parts.closeInstances(signal);
  }
}
