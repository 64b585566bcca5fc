import type { Batcher } from '../batching/batcher.js';
import type { CacheKey, Computed, EntryShape, Flight, Keyspace } from '../cache/types.js';
import type { CostCurve, CostSample } from '../cost/cost-curve.js';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Encoded } from '../runtime/feeds.js';
import { residentBytes } from '../runtime/resident-bytes.js';
import type { Device, Precision } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';
import type { FormerVersion } from './former-version.js';
import type { Golden } from './golden.js';
import type { KnownAnswers } from './label-flips.js';
import type { ModelManifest } from './manifest.js';
import type { SessionProof } from './prove-session.js';
import type { AppliedActivation, LabelFlips, ModelState, ModelVersionView, ProblemType } from './types.js';

/** Counts of the runtime processes of a version. */
export interface InstanceCounts {
  readonly ready: number;
  readonly wanted: number;
}

export interface ModelVersionParts<I> {
  readonly manifest: ModelManifest;
  /** Of its folder, before anything in it was read. */
  readonly folderIdentity: string;
  readonly golden: Golden<I> | undefined;
  /** Undefined: it was not compared with a former version. */
  readonly flips: LabelFlips | undefined;
  readonly precision: Precision;
  readonly device: Device;
  readonly proof: SessionProof;
  readonly digest: string;
  readonly preprocessor: Preprocessor<I>;
  readonly batcher: Batcher<Encoded, Float32Array>;
  readonly instances: () => InstanceCounts;
  /** The processes of its sessions. */
  readonly pids: () => readonly number[];
  /** Why no input can be prepared at the moment; empty where it can. */
  readonly preparationTrouble: () => string;
  readonly samples: readonly CostSample[];
  readonly calibratedCurve: CostCurve;
  readonly cacheKey: (input: I, truncation: Truncation, keyspace: Keyspace) => CacheKey;
  /** Ends the runtime processes: after their batch, or at once when the signal aborts. */
  readonly closeInstances: (signal: AbortSignal) => Promise<void>;
}

/** A loaded version of a model: it has answered known inputs correctly and computes the logits of inputs of one kind. */
export class ModelVersion<I> {
  readonly name: string;
  readonly version: string;
  /** What its folder looked like before it was loaded: a folder that looks the same holds this version. */
  readonly folderIdentity: string;
  readonly digest: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  /** What it knows of itself, apart: whoever keeps this for its successor does not keep the version. */
  readonly known: KnownAnswers<I>;
  /** How it answers the known texts of the version before it; undefined: there was none to compare with. */
  readonly flips: LabelFlips | undefined;
  readonly defaultTruncation: Truncation;
  /** What the graph itself does to its logits; undefined: nothing. */
  readonly appliedActivation: AppliedActivation | undefined;
  readonly cacheKey: (input: I, truncation: Truncation, keyspace: Keyspace) => CacheKey;
  readonly entryShape: EntryShape;
  readonly #parts: ModelVersionParts<I>;
  #draining = false;
  #memoryBytes = 0;

  constructor(parts: ModelVersionParts<I>) {
    this.name = parts.manifest.name;
    this.version = parts.manifest.version;
    this.folderIdentity = parts.folderIdentity;
    this.flips = parts.flips;
    this.digest = parts.digest;
    this.labels = parts.manifest.labels;
    this.problemType = parts.manifest.problemType;
    this.defaultTruncation = parts.manifest.defaultTruncation;
    this.appliedActivation = parts.proof.appliedActivation;
    const { labels, problemType, appliedActivation } = this;
    this.known = { labels, problemType, appliedActivation, golden: parts.golden };
    this.cacheKey = parts.cacheKey;
    this.entryShape = { labelCount: parts.manifest.labels.length, maxTokens: parts.preprocessor.maxCost };
    this.#parts = parts;
  }

  /**
   * Takes a place in the queue, prepares the input, and waits for the run that answers it.
   *
   * @throws VerdictError invalid_argument (too long under `reject`, or without a token), resource_exhausted, deadline_exceeded,
   *   cancelled (every waiter left), unavailable, internal
   */
  async compute(input: I, truncation: Truncation, flight: Flight): Promise<Computed> {
    const { batcher, preprocessor } = this.#parts;
    const permit = batcher.admit(preprocessor.estimate(input), flight);
    flight.onAbandon(() => permit.abandon());
    flight.onUrgent(() => permit.promote());
    if (permit.admitted !== undefined) await overflow(permit.admitted, flight);
    const startedAt = performance.now();
    let encoded: Encoded;
    try {
      // What cannot be had any more is not prepared: that is most of what a refusal would cost.
      if (permit.settled) await permit.result;
      encoded = await preprocessor.encode(input, truncation, flight);
    } catch (error) {
      permit.abandon();
      throw error;
    }
    const tokenizedAt = performance.now();
    flight.trace?.stage('tokenize', startedAt, tokenizedAt);
    const tokenizeMs = tokenizedAt - startedAt;
    permit.submit(encoded, encoded.cost);
    const { value, queueMs, runMs, batchSize } = await permit.result;
    return {
      entry: { logits: value, tokenCount: encoded.cost, truncated: encoded.truncated },
      timings: { tokenizeMs, queueMs, inferenceMs: runMs, batchSize },
    };
  }

  /** Resident memory of its session processes, as last measured; 0 where nothing is known. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Asks the system how much memory its session processes take. */
  async measureMemory(): Promise<void> {
    const sizes = await Promise.all(this.#parts.pids().map(residentBytes));
    this.#memoryBytes = sizes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  }

  /** What is to be kept of it once it is unloaded. */
  get former(): FormerVersion<I> {
    const { name, version, folderIdentity, digest, labels, problemType, view } = this;
    const { appliedActivation, defaultTruncation, entryShape, cacheKey } = this;
    return {
      ...{ name, version, folderIdentity, digest, labels, problemType, view },
      ...{ appliedActivation, defaultTruncation, entryShape, cacheKey },
    };
  }

  /** Whether it holds inputs that are not answered yet. */
  get isBusy(): boolean {
    const { queuedItems, overflowItems, inFlightItems } = this.#parts.batcher;
    return queuedItems + overflowItems + inFlightItems > 0;
  }

  get batcher(): Batcher<Encoded, Float32Array> {
    return this.#parts.batcher;
  }

  /** How much of its queue is taken once one more input is in. 1: all. */
  get nextQueueFill(): number {
    return this.batcher.nextQueueFill;
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
    if (this.instances.ready === 0) return 'no session is able to serve; a replacement is on its way';
    return this.#parts.preparationTrouble();
  }

  get cost(): CostCurve {
    return this.#parts.batcher.costCurve ?? this.#parts.calibratedCurve;
  }

  get view(): ModelVersionView {
    const { manifest, precision, device, samples, batcher, proof } = this.#parts;
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
      digest: this.digest,
      batching: proof.batching,
      appliedActivation: proof.appliedActivation,
      defaultTruncation: this.defaultTruncation,
      moderation: manifest.moderation,
      readyInstances: ready,
      instances: wanted,
      cost: this.cost,
      costSamples: samples,
      memoryBytes: this.memoryBytes,
    };
  }

  /** Takes leave: from now on its state is `draining`. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Answers what is queued, ends the runtime processes and gives back the memory of the preprocessor. When the signal aborts, the
   * rest is refused, and the processes are killed.
   */
  async close(signal: AbortSignal): Promise<void> {
    this.drain();
    await this.#parts.batcher.close(signal);
    await this.#parts.closeInstances(signal);
    this.#parts.preprocessor.close();
  }
}

/** Waits outside a full queue. @throws what `admitted` rejects with */
async function overflow(admitted: Promise<void>, { trace }: Flight): Promise<void> {
  const startedAt = performance.now();
  try {
    await admitted;
  } finally {
    trace?.stage('overflow', startedAt, performance.now());
  }
}
