import { Batcher } from '../batching/batcher.js';
import type { BatcherHooks, BatcherOptions } from '../batching/types.js';
import type { CacheKey, Keyspace } from '../cache/types.js';
import { chooseBudgetTokens } from '../cost/choose-budget-tokens.js';
import type { CostCurve, CostSample } from '../cost/cost-curve.js';
import { fitCostCurve } from '../cost/fit-cost-curve.js';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Encoded, Feed } from '../runtime/feeds.js';
import { openSession } from '../runtime/open-session.js';
import type { RuntimeHooks } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';
import { calibrate, takes } from './calibrate.js';
import { modelDigest } from './digest.js';
import { type Golden, goldenWithin } from './golden.js';
import type { InstanceGroup } from './instance-group.js';
import { type ModelManifest, readManifest } from './manifest.js';
import { ModelVersion } from './model-version.js';
import type { SessionProof } from './prove-session.js';
import type { ModelLocation } from './repository.js';
import { SelfTest, type SelfTestOptions } from './self-test.js';
import { type ServingHooks, type ServingOptions, startServing } from './serving-sessions.js';
import { SessionRunner } from './session-runner.js';
import type { Weights } from './weights.js';

/** The cost that the budget is set for, where no known answers tell what inputs usually cost. */
const FALLBACK_TYPICAL_COST = 32;

/** Little: a test takes no time from callers. */
const SELF_TEST_COST = 6;

/** Bounds of a calibrated budget: below, padding pays for itself; above, nobody's latency is worth it. */
const BUDGET_RANGE_TOKENS = { minTokens: 256, maxTokens: 2048 };

/** Used when the sweep tells nothing, which takes a model of fewer than eight tokens. */
const FREE: CostCurve = { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0 };

export interface ModelLoaderOptions {
  readonly sessions: ServingOptions;
  /** `budgetTokens` 0: as calibrated. */
  readonly batching: Omit<BatcherOptions, 'costCurve'>;
  /** How long the calibration sweep may take. */
  readonly calibrationTimeMs: number;
  /** Tokens that any model reads at most; undefined: as many as it can. */
  readonly maxTokens: number | undefined;
  readonly selfTest: SelfTestOptions;
}

/** What the loader takes from outside, for models that read inputs of one kind. */
export interface ModelLoaderParts<I> {
  readonly loadPreprocessor: (manifest: ModelManifest) => Promise<Preprocessor<I>>;
  /** The known answers of a version; undefined: it has none. */
  readonly readGolden: (manifest: ModelManifest) => Promise<Golden<I> | undefined>;
  /** Why no input can be prepared at the moment; empty where it can. */
  readonly preparationTrouble: () => string;
  /** What a model is fed with, where its manifest tells: its sessions start while the preprocessor is loaded. */
  readonly knownFeeds: (manifest: ModelManifest) => readonly Feed[] | undefined;
  /** What a model is fed with that has to show how wide its output is, before it has a manifest. */
  readonly probeFeeds: readonly Feed[];
  readonly cacheKeys: (digest: string) => {
    key(input: string, truncation: Truncation, keyspace: Keyspace): CacheKey;
  };
  readonly hooks: (version: ModelLocation) => {
    readonly batcher: BatcherHooks;
    readonly runtime: RuntimeHooks;
  };
  /** Runs one task at a time: models that calibrate together would measure each other. */
  readonly oneAtATime: <T>(task: () => Promise<T>) => Promise<T>;
}

/** Events for logs. None may throw. */
export interface ModelLoaderHooks extends ServingHooks {
  /** The version has no golden.json: nothing shows that its answers are right. */
  onUnchecked?(model: string): void;
}

/** Makes a folder into a version that serves: read, check against known answers, calibrate, connect. */
export class ModelLoader<I> {
  readonly #options: ModelLoaderOptions;
  readonly #parts: ModelLoaderParts<I>;
  readonly #hooks: ModelLoaderHooks;

  constructor(options: ModelLoaderOptions, parts: ModelLoaderParts<I>, hooks: ModelLoaderHooks = {}) {
    this.#options = options;
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /**
   * @param onStateChange called when a runtime process was lost or replaced
   * @param signal gives up the loading
   * @throws ModelLoadError and the runtime's errors, naming file and expectation; the signal's reason. Nothing is left
   *   running then
   */
  async load(
    location: ModelLocation,
    onStateChange: () => void,
    signal: AbortSignal,
  ): Promise<ModelVersion<I>> {
    const manifest = await readManifest(location.name, location.version, location.directory, {
      maxTokens: this.#options.maxTokens,
      probeLabelCount: (weights) => this.#probeLabelCount(weights, signal),
    });
    const recorded = await this.#parts.readGolden(manifest);
    const golden =
      this.#options.maxTokens === undefined ? recorded : goldenWithin(recorded, this.#options.maxTokens);
    if (golden === undefined) this.#hooks.onUnchecked?.(manifest.name);
    const { batcher: batcherHooks, runtime: runtimeHooks } = this.#parts.hooks(location);
    // Session processes start while it is loaded; whoever needs it waits, and learns if it could not be.
    const loading = this.#parts.loadPreprocessor(manifest);
    loading.catch(() => {});
    const feeds = this.#parts.knownFeeds(manifest) ?? loading.then((preprocessor) => preprocessor.feeds);
    // A model may be refused before anybody asks for them.
    if (feeds instanceof Promise) feeds.catch(() => {});
    const typicalTokens = typicalCost(golden);
    // Read while the session is measured: it takes the precision that was chosen.
    let digest = '';
    const measure = async (group: InstanceGroup) => {
      const preprocessor = await loading;
      const measured = this.#parts.oneAtATime(() => this.#calibrate(group, preprocessor));
      const read =
        digest === '' ? modelDigest(manifest, group.precision, group.proof.batching, preprocessor) : digest;
      const [samples, known] = await Promise.all([measured, read]);
      digest = known;
      return samples;
    };
    const sessions = await startServing(
      { manifest, golden, feeds, preprocessor: loading, runtimeHooks },
      this.#options.sessions,
      {
        measure,
        takes: async (limitMs, group) => {
          const preprocessor = await loading;
          const run = (batch: readonly Encoded[]) => group.first.run(batch);
          return this.#parts.oneAtATime(() => takes(limitMs, typicalTokens, run, preprocessor));
        },
      },
      this.#hooks,
      signal,
    );
    try {
      signal.throwIfAborted();
      const { shared, lone, samples } = sessions;
      const preprocessor = await loading;
      const curve = fitCostCurve(samples);
      const batcher = new Batcher<Encoded, Float32Array>(
        this.#batcherOptions(shared.proof, Math.min(typicalTokens, preprocessor.maxCost), samples, curve),
        batcherHooks,
      );
      const test = new SelfTest(await preprocessor.ofCost(SELF_TEST_COST), this.#options.selfTest);
      shared.connect((session) => batcher.attach(new SessionRunner(test.watch(session))), onStateChange);
      lone?.connect(
        (session) => batcher.attachSolo(new SessionRunner(test.watch(session))),
        () => {},
      );
      const keys = this.#parts.cacheKeys(digest);
      return new ModelVersion({
        manifest,
        precision: shared.precision,
        device: shared.device,
        proof: shared.proof,
        digest,
        preprocessor,
        batcher,
        instances: () => shared.counts,
        samples,
        calibratedCurve: curve ?? FREE,
        cacheKey: (input, truncation, keyspace) => keys.key(preprocessor.keyOf(input), truncation, keyspace),
        closeInstances: (force) => {
          test.close();
          return sessions.close(force);
        },
        preparationTrouble: this.#parts.preparationTrouble,
      });
    } catch (error) {
      await sessions.close(signal);
      throw signal.aborted ? signal.reason : error;
    }
  }

  async #calibrate(group: InstanceGroup, preprocessor: Preprocessor<I>): Promise<CostSample[]> {
    const session = group.first;
    return calibrate((batch) => session.run(batch), preprocessor, {
      timeLimitMs: this.#options.calibrationTimeMs,
      maxItems: group.proof.batching === 'one_at_a_time' ? 1 : Number.POSITIVE_INFINITY,
    });
  }

  /** How wide the output is of a graph that does not say so. */
  async #probeLabelCount({ path }: Weights, signal: AbortSignal): Promise<number> {
    const { device, deviceId, intraOpThreads, openTimeoutMs, runTimeoutMs } = this.#options.sessions;
    const session = await openSession(
      {
        modelPath: path,
        device,
        deviceId,
        intraOpThreads,
        feeds: this.#parts.probeFeeds,
        labelCount: undefined,
      },
      { openTimeoutMs, runTimeoutMs, signal },
    );
    const { labelCount } = session.info;
    await session.close(signal);
    return labelCount;
  }

  #batcherOptions(
    { batching: together }: SessionProof,
    typicalTokens: number,
    samples: readonly CostSample[],
    curve: CostCurve | undefined,
  ): BatcherOptions {
    const batching = {
      ...this.#options.batching,
      equalLengths: together === 'equal_length',
      maxBatchItems: together === 'one_at_a_time' ? 1 : this.#options.batching.maxBatchItems,
    };
    if (curve === undefined) {
      const { budgetTokens, ...rest } = batching;
      return { ...rest, budgetTokens: budgetTokens || BUDGET_RANGE_TOKENS.minTokens };
    }
    const budgetTokens =
      batching.budgetTokens || chooseBudgetTokens(curve, samples, { typicalTokens, ...BUDGET_RANGE_TOKENS });
    return { ...batching, budgetTokens, costCurve: curve };
  }
}

/** Median of the known inputs: the best guess at what the model is meant to read. */
function typicalCost(golden: Golden<unknown> | undefined): number {
  const costs = (golden?.entries ?? []).map(({ cost }) => cost).sort((a, b) => a - b);
  return costs[Math.floor(costs.length / 2)] ?? FALLBACK_TYPICAL_COST;
}
