import type { CallOptions } from './types.js';

/** The time of many inputs in one stage. */
export interface StageTime {
  readonly inputs: number;
  /** Of all of them together. */
  readonly totalMs: number;
}

/** What one version of a model has done since it was first loaded. Counts only grow while it is there. */
export interface VersionStatistics {
  readonly version: string;
  /** When counting began. */
  readonly since: Date | undefined;
  /** When an input last ended; `undefined`: none has. */
  readonly lastUsed: Date | undefined;
  readonly answered: number;
  /** Without those that were cancelled. */
  readonly failed: number;
  readonly cancelled: number;
  /** Of the inputs that were answered. */
  readonly tokens: number;
  /** Failed inputs by code. */
  readonly failures: readonly { readonly code: string; readonly inputs: number }[];
  /** Answered inputs by where their answers came from. */
  readonly cache: {
    readonly miss: number;
    readonly lru: number;
    readonly redis: number;
    readonly coalesced: number;
    readonly bypassed: number;
  };
  readonly stages: {
    readonly tokenize: StageTime;
    readonly queue: StageTime;
    readonly inference: StageTime;
    readonly postprocess: StageTime;
    readonly total: StageTime;
  };
  readonly batches: {
    readonly batches: number;
    readonly inputs: number;
    readonly tokens: number;
    readonly paddedTokens: number;
    readonly runMs: number;
    /** Batches above the size of the one before, and up to this many inputs. */
    readonly sizes: readonly { readonly atMost: number; readonly batches: number }[];
  };
  /** Of its session processes, as last measured; 0 where the server's operating system does not tell. */
  readonly memoryBytes: number;
}

export interface StatisticsOptions extends CallOptions {
  /** A number or an alias. Default: all versions. */
  readonly version?: string | undefined;
}
