import type { BatcherHooks } from '../batching/types.js';
import type { CacheOutcome } from '../cache/types.js';
import type { ErrorCode } from '../errors.js';

/** The stages of an input that are timed. */
export type Stage = 'tokenize' | 'queue' | 'inference' | 'postprocess' | 'total';

/** The time of many inputs in one stage. */
export interface StageTime {
  readonly inputs: number;
  /** Of all of them together, in milliseconds. */
  readonly totalMs: number;
}

/** Batches of one range of sizes: above the range before, and up to this many inputs. */
export interface BatchSizeCount {
  readonly atMost: number;
  readonly batches: number;
}

/** Batches that ran. */
export interface BatchStatistics {
  readonly batches: number;
  /** One that ran again counts again. */
  readonly inputs: number;
  readonly tokens: number;
  readonly paddedTokens: number;
  /** In milliseconds. */
  readonly runMs: number;
  /** By ascending size, up to the largest that occurred. */
  readonly sizes: readonly BatchSizeCount[];
}

/** What one version has done since counting began. Counts only grow. */
export interface VersionStatistics {
  readonly version: string;
  /** When counting began, in Unix milliseconds. */
  readonly since: number;
  /** When an input last ended, in Unix milliseconds; undefined: none has. */
  readonly lastUsed: number | undefined;
  readonly answered: number;
  /** Without those that were cancelled. */
  readonly failed: number;
  readonly cancelled: number;
  /** Of the inputs that were answered. */
  readonly tokens: number;
  /** Failed inputs by code, without codes that did not occur. */
  readonly failures: ReadonlyMap<ErrorCode, number>;
  /** Answered inputs. */
  readonly cache: Readonly<Record<CacheOutcome, number>>;
  readonly stages: Readonly<Record<Stage, StageTime>>;
  readonly batches: BatchStatistics;
}

/** Tells what versions have done. */
export interface StatisticsReader {
  /** The versions of a model that anything is counted for, highest first. */
  of(model: string): readonly VersionStatistics[];
}

/** Counts the batches of one version. */
export type BatchHooks = Required<Pick<BatcherHooks, 'onBatch'>>;
