import type { BarId } from '../bars.js';
import type { Machine } from '../machine.js';
import type { Disturbance, ForeignCpu } from '../noise.js';
import type { Judged } from './judge.js';

/** In files from before the suite looked at the machine itself. */
interface EarlierDisturbance extends ForeignCpu {
  /** Runnable processes per core, averaged over the minute before the start. */
  readonly loadBefore: number;
}

/** What `<scenario>.json` holds. */
export type Result = RanResult | SkippedResult;

interface ResultHead {
  readonly scenario: string;
  readonly summary: string;
  /** The bars that it measures, those that do not hold on the machine included. */
  readonly bars: readonly BarId[];
  /** How to measure it again. */
  readonly command: string;
  /** ISO 8601, when it began. */
  readonly date: string;
  readonly machine: Machine;
}

export interface SkippedResult extends ResultHead {
  readonly status: 'skipped';
  /** What the machine lacks. */
  readonly reason: string;
}

export interface RanResult extends ResultHead {
  readonly status: 'ran';
  readonly settings: {
    readonly model: string;
    readonly rounds: number;
    readonly texts: number;
    readonly threads: number;
    readonly short: boolean;
  };
  /** What the texts are, and their token statistics by mix. */
  readonly inputs: string;
  readonly disturbance: Disturbance | EarlierDisturbance;
  /** Why nothing here should be trusted; empty: no reason. */
  readonly warnings: readonly string[];
  readonly measurements: readonly Judged[];
  readonly facts: Readonly<Record<string, string | number>>;
  readonly rounds: readonly Readonly<Record<string, number>>[];
  /** File names of the charts, beside the JSON file. */
  readonly charts: readonly string[];
}
