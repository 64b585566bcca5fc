/** A model that is loaded and not pinned. */
export interface Resident {
  readonly name: string;
  /** Whether it holds inputs that are not answered yet. */
  readonly isBusy: boolean;
  /** The higher, the later it was used. */
  readonly lastUse: number;
  /** Since when it is loaded, in milliseconds. */
  readonly loadedAt: number;
  /** How long its load took, in milliseconds. */
  readonly loadMs: number;
}

/** A model stays loaded for this many times as long as its load took: at worst, half of the time goes into loads. */
const STAYS_IDLE = 1;
/** A model that has work stays longer, so that work and not loads take most of the time, and then makes room all the same. */
const STAYS_BUSY = 4;
/** Those who were told to come back find it still there. */
const LEAST_STAY_MS = 1_000;
const LONGEST_STAY_MS = 60_000;

/**
 * Chooses the model that makes room for one that is waited for: of those that hold no work the least recently used, else of those that
 * have had their time.
 * @param now in milliseconds
 * @returns the model, or how many milliseconds from now the first of them may go; Infinity: there is none
 */
export function chooseUnloaded(
  residents: readonly Resident[],
  now: number,
): { readonly model: string } | { readonly inMs: number } {
  const byUse = [...residents].sort((a, b) => a.lastUse - b.lastUse);
  const leaveInMs = (resident: Resident, isBusy: boolean) => {
    const stayMs = resident.loadMs * (isBusy ? STAYS_BUSY : STAYS_IDLE);
    return resident.loadedAt + Math.min(Math.max(stayMs, LEAST_STAY_MS), LONGEST_STAY_MS) - now;
  };
  const model =
    byUse.find((one) => !one.isBusy && leaveInMs(one, false) <= 0) ??
    byUse.find((one) => leaveInMs(one, true) <= 0);
  if (model !== undefined) return { model: model.name };
  return { inMs: Math.min(...byUse.map((one) => leaveInMs(one, one.isBusy))) };
}
