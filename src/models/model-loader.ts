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
import { type CalibrationOptions, calibrate, takes } from './calibrate.js';
import { modelDigest } from './digest.js';
import { folderIdentity } from './folder-identity.js';
import { type Golden, goldenWithin } from './golden.js';
import type { InstanceGroup } from './instance-group.js';
import { type KnownAnswers, labelFlips } from './label-flips.js';
import { type ModelManifest, readManifest } from './manifest.js';
import { ModelLoadError } from './model-load-error.js';
import { ModelVersion, type ModelVersionParts } from './model-version.js';
import { equalRest, noRest, pacedRun, type Rest } from './paced-run.js';
import type { SessionProof } from './prove-session.js';
import type { ModelLocation } from './repository.js';
import { SelfTest, type SelfTestOptions } from './self-test.js';
import { type ServingHooks, type ServingOptions, startServing } from './serving-sessions.js';
import { SessionRunner } from './session-runner.js';
import type { LabelFlips } from './types.js';
import type { Weights } from './weights.js';

/** The cost that the budget is set for, where no known answers tell what inputs usually cost. */
const FALLBACK_TYPICAL_COST = 32;

/** Little: a test takes no time from callers. */
const SELF_TEST_COST = 6;

/** Bounds of a calibrated budget: below, padding pays for itself; above, nobody's latency is worth it. */
const BUDGET_RANGE_TOKENS = { minTokens: 256, maxTokens: 2048 };

/**
 * Beside sessions that serve, the sweep keeps to its small shapes: a large batch would take their threads for as long as it runs.
 * Live batches show what large ones cost. What they interrupt takes longer than it costs, so more runs are timed.
 */
const TIMED_RUNS_BESIDE = 4;

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

/** That a version is loaded while others serve, which are to notice little of it. */
export interface Beside<I> {
  /**
   * What the version knows whose place it takes; undefined: there is none. Not that version itself: what is loaded may keep this,
   * and so every version the one before it.
   */
  readonly former: KnownAnswers<I> | undefined;
  /** What of the load begins now, in words for everybody to read. Must not throw. */
  readonly onStage: (stage: string) => void;
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
   * @param beside undefined: nothing serves yet
   * @throws ModelLoadError and the runtime's errors, naming file and expectation; the signal's reason. Nothing is left
   *   running then
   */
  async load(
    location: ModelLocation,
    onStateChange: () => void,
    signal: AbortSignal,
    beside?: Beside<I>,
  ): Promise<ModelVersion<I>> {
    const rest = beside === undefined ? noRest : equalRest(signal);
    beside?.onStage('its files are read (1 of 4)');
    const identity = await folderIdentity(location.directory);
    const manifest = await readManifest(location.name, location.version, location.directory, {
      maxTokens: this.#options.maxTokens,
      probeLabelCount: (weights) => this.#probeLabelCount(weights, signal),
    });
    const recorded = await this.#parts.readGolden(manifest);
    const golden =
      this.#options.maxTokens === undefined ? recorded : goldenWithin(recorded, this.#options.maxTokens);
    if (golden === undefined) this.#hooks.onUnchecked?.(manifest.name);
    const { batcher: batcherHooks, runtime: runtimeHooks } = this.#parts.hooks(location);
    beside?.onStage('it is tried on one thread (2 of 4)');
    // Session processes start while it is loaded; whoever needs it waits, and learns if it could not be.
    const loading = this.#parts.loadPreprocessor(manifest);
    loading.catch(() => {});
    const closePreprocessor = () => void loading.then((preprocessor) => preprocessor.close()).catch(() => {});
    const feeds = this.#parts.knownFeeds(manifest) ?? loading.then((preprocessor) => preprocessor.feeds);
    // A model may be refused before anybody asks for them.
    if (feeds instanceof Promise) feeds.catch(() => {});
    const typicalTokens = typicalCost(golden);
    // Read while the session is measured: it takes the precision that was chosen.
    let digest = '';
    const sweep: Omit<CalibrationOptions, 'maxItems'> =
      beside === undefined
        ? { timeLimitMs: this.#options.calibrationTimeMs }
        : { timeLimitMs: 0, timedRuns: TIMED_RUNS_BESIDE, rest };
    const measure = async (group: InstanceGroup) => {
      const preprocessor = await loading;
      beside?.onStage('its sessions are measured (4 of 4)');
      const measured = this.#parts.oneAtATime(() => this.#calibrate(group, preprocessor, sweep));
      const read =
        digest === '' ? modelDigest(manifest, group.precision, group.proof.batching, preprocessor) : digest;
      const [samples, known] = await Promise.all([measured, read]);
      digest = known;
      return samples;
    };
    let flips: LabelFlips | undefined;
    const onTrial = async (group: InstanceGroup) => {
      const preprocessor = await loading;
      beside?.onStage('its answers are compared (3 of 4)');
      flips = await this.#flips(beside?.former, { manifest, group, preprocessor, rest });
    };
    const sessions = await startServing(
      { manifest, golden, feeds, preprocessor: loading, runtimeHooks, rest },
      this.#options.sessions,
      {
        measure,
        takes: async (limitMs, group) => {
          const preprocessor = await loading;
          const run = (batch: readonly Encoded[]) => group.first.run(batch);
          return this.#parts.oneAtATime(() => takes(limitMs, typicalTokens, run, preprocessor, rest));
        },
        ...(beside !== undefined && { onTrial }),
      },
      this.#hooks,
      signal,
    ).catch((error: unknown) => {
      closePreprocessor();
      throw error;
    });
    try {
      signal.throwIfAborted();
      const { shared, lone, samples } = sessions;
      const preprocessor = await loading;
      if (beside !== undefined) await ensureSettled(location, identity);
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
        folderIdentity: identity,
        golden,
        flips,
        precision: shared.precision,
        device: shared.device,
        proof: shared.proof,
        digest,
        preprocessor,
        batcher,
        instances: () => shared.counts,
        pids: () => [...shared.pids, ...(lone?.pids ?? [])],
        samples,
        calibratedCurve: curve ?? FREE,
        cacheKey: cacheKeyOf(keys, preprocessor),
        closeInstances: (force) => {
          test.close();
          return sessions.close(force);
        },
        preparationTrouble: this.#parts.preparationTrouble,
      });
    } catch (error) {
      await sessions.close(signal);
      closePreprocessor();
      throw signal.aborted ? signal.reason : error;
    }
  }

  /** @param former undefined: there is nothing to compare with */
  async #flips(
    former: KnownAnswers<I> | undefined,
    loaded: {
      readonly manifest: ModelManifest;
      readonly group: InstanceGroup;
      readonly preprocessor: Preprocessor<I>;
      readonly rest: Rest;
    },
  ): Promise<LabelFlips | undefined> {
    if (former === undefined) return undefined;
    const { manifest, group, preprocessor, rest } = loaded;
    const { labels, problemType } = manifest;
    const { batching, appliedActivation } = group.proof;
    const session = group.first;
    const run = pacedRun((batch) => session.run(batch), rest);
    return labelFlips(former, { labels, problemType, appliedActivation, batching, preprocessor, run });
  }

  async #calibrate(
    group: InstanceGroup,
    preprocessor: Preprocessor<I>,
    sweep: Omit<CalibrationOptions, 'maxItems'>,
  ): Promise<CostSample[]> {
    const session = group.first;
    return calibrate((batch) => session.run(batch), preprocessor, {
      ...sweep,
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

/**
 * What was read piece by piece may be half of one content and half of another.
 * @throws ModelLoadError if the folder has changed since
 */
async function ensureSettled({ directory }: ModelLocation, identity: string): Promise<void> {
  if ((await folderIdentity(directory)) === identity) return;
  throw new ModelLoadError(
    directory,
    'changed while it was being loaded: publish a version by renaming its folder',
  );
}

/** Made apart from the load, so that whoever keeps it keeps nothing else of the version. */
function cacheKeyOf<I>(
  keys: ReturnType<ModelLoaderParts<I>['cacheKeys']>,
  preprocessor: Preprocessor<I>,
): ModelVersionParts<I>['cacheKey'] {
  return (input, truncation, keyspace) => keys.key(preprocessor.keyOf(input), truncation, keyspace);
}

/** Median of the known inputs: the best guess at what the model is meant to read. */
function typicalCost(golden: Golden<unknown> | undefined): number {
  const costs = (golden?.entries ?? []).map(({ cost }) => cost).sort((a, b) => a - b);
  return costs[Math.floor(costs.length / 2)] ?? FALLBACK_TYPICAL_COST;
}
