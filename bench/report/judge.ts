import { type Bar, type BarId, bars, type Limit } from '../bars.js';
import type { Measurement } from '../scenario.js';
import { drift, median, quantile } from '../statistics.js';

/** A measurement with its median, and what that says of its bar. */
export interface Judged {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly verdict?: Verdict;
}

export interface Verdict {
  readonly bar: BarId;
  readonly reached: boolean;
  /** By how much the median misses the bar, as a share of it, or in its unit where the bar is 0; 0: reached. */
  readonly missedBy: number;
  /** Why the rounds cannot tell; empty: they can. */
  readonly doubts: readonly string[];
}

/** A reference that moves further than this between the rounds says that the machine did. */
const MAX_DRIFT = 1.5;
/** Fewer rounds have no quartiles to speak of. */
const MIN_ROUNDS = 3;

/**
 * Takes the median and holds it against the bar. The rounds cannot tell where the bar lies between their quartiles,
 * where what was measured against drifted, or where they are too few.
 *
 * @param model what the suite ran with; a bar of another model is left out
 */
export function judge(measurement: Measurement, model: string): Judged {
  const { name, unit, values, reference, bar: id } = measurement;
  const judged = {
    name,
    unit,
    values,
    median: median(values),
    lowerQuartile: quantile(values, 0.25),
    upperQuartile: quantile(values, 0.75),
  };
  if (id === undefined) return judged;
  const bar: Bar = bars[id];
  if (bar.model !== undefined && bar.model !== model) return judged;
  const doubts: string[] = [];
  if (values.some((value) => !Number.isFinite(value))) doubts.push('a round gave no number');
  if (values.length < MIN_ROUNDS && bar.onePass !== true) doubts.push(`fewer than ${MIN_ROUNDS} rounds`);
  if (reaches(judged.lowerQuartile, bar.limit) !== reaches(judged.upperQuartile, bar.limit)) {
    doubts.push('the bar lies between the quartiles');
  }
  if (reference !== undefined && drift(reference) > MAX_DRIFT) {
    doubts.push(`the reference drifted by a factor of ${drift(reference).toFixed(1)}`);
  }
  const reached = reaches(judged.median, bar.limit);
  return {
    ...judged,
    verdict: { bar: id, reached, missedBy: reached ? 0 : miss(judged.median, bar.limit), doubts },
  };
}

export function reaches(value: number, limit: Limit): boolean {
  return 'atLeast' in limit ? value >= limit.atLeast : value <= limit.atMost;
}

function miss(value: number, limit: Limit): number {
  const wanted = 'atLeast' in limit ? limit.atLeast : limit.atMost;
  const distance = Math.abs(value - wanted);
  return wanted === 0 ? distance : distance / Math.abs(wanted);
}
