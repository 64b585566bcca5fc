import { marginalMs } from '../../cost/cost-curve.js';
import type { CloseReason, InputFacts, PolicyFacts, Selection } from '../types.js';

/** Below this many inputs the look-ahead does not narrow, however few are overdue: there must be neighbours to find. */
const NARROW_LOOK_AHEAD = 64;

/**
 * A base below this share of a full batch's cost is not believed. It is half of what the base is worth at the knee where
 * the budget was set; without it, a fit that found no base at all would make batches of one the ideal: no padding.
 */
const LEAST_BASE_SHARE = 1 / 40;

/**
 * Length-aware batching: the most urgent input, the first one of the window, anchors the batch, and the nearest lengths
 * fill it.
 *
 * Which neighbours, and how many, is a question of cost: each one makes the batch fuller, and each one may pad the
 * others. So the window is sorted by length and cut into the set of batches that would clear it in the least predicted
 * time, within the limits; of these, the batch that holds the anchor runs now. A greedy fill of this one batch
 * takes from its neighbours what they would have needed: at 32 in flight it costs a fifth of the throughput.
 *
 * Nobody starves: each batch holds the most urgent input, so an input runs at the latest with as many batches as there were
 * inputs more urgent than it. The age guard tightens that: once the anchor has waited `maxAgeMs`, or half of the time that
 * its caller gave it, the look-ahead narrows to the inputs of which that is as true. Where it is of all, under overload,
 * nothing narrows, and throughput is kept.
 */
export function selectByLength(window: readonly InputFacts[], facts: PolicyFacts): Selection {
  const order = byLength(window, candidates(window, facts));
  const lengths = new Float64Array(order.length);
  for (let i = 0; i < order.length; i++) lengths[i] = window[order[i] ?? 0]?.tokens ?? 0;
  const limit = shareOfBudget(window.length, facts);
  const starts = cheapestCuts(lengths, limit, facts);
  const anchor = order.indexOf(0);
  let end = order.length;
  while ((starts[end] ?? 0) > anchor) end = starts[end] ?? 0;
  const start = starts[end] ?? 0;
  const size = end - start;
  const longest = lengths[end - 1] ?? 0;
  return {
    positions: order.subarray(start, end),
    reason: closeReason(size, longest, limit, facts),
  };
}

/** The positions that the batch is chosen from: all, or those that are overdue like the anchor, and a few more. */
function candidates(window: readonly InputFacts[], facts: PolicyFacts): Uint32Array {
  const positions = new Uint32Array(window.length);
  let count = 0;
  if (isOverdue(window[0], facts)) {
    for (let i = 0; i < window.length; i++) if (isOverdue(window[i], facts)) positions[count++] = i;
    for (let i = 0; i < window.length && count < NARROW_LOOK_AHEAD; i++) {
      if (!isOverdue(window[i], facts)) positions[count++] = i;
    }
    return positions.subarray(0, count);
  }
  for (let i = 0; i < window.length; i++) positions[i] = i;
  return positions;
}

function isOverdue(input: InputFacts | undefined, facts: PolicyFacts): boolean {
  if (input === undefined) return false;
  const limitMs = Math.min(facts.maxAgeMs, (input.deadlineAt - input.enqueuedAt) / 2);
  return facts.now - input.enqueuedAt >= limitMs;
}

/**
 * Sorts the positions by ascending length, then urgency. Both share one number: native sorting needs no callback. (Nor do
 * these loops: `from` of a typed array, with a callback, took a third of the time of choosing a batch.)
 */
function byLength(window: readonly InputFacts[], positions: Uint32Array): Uint32Array {
  const count = window.length;
  const keys = new Float64Array(positions.length);
  for (let i = 0; i < keys.length; i++) {
    const position = positions[i] ?? 0;
    keys[i] = (window[position]?.tokens ?? 0) * count + position;
  }
  keys.sort();
  for (let i = 0; i < keys.length; i++) positions[i] = (keys[i] ?? 0) % count;
  return positions;
}

/**
 * Where several runners are free and the queue is short, each takes its share: one full batch would leave the others
 * without work, and its inputs waiting for each other.
 */
function shareOfBudget(windowSize: number, facts: PolicyFacts): number {
  if (facts.idleRunners < 2 || facts.queuedItems > windowSize) return facts.budgetTokens;
  return Math.min(facts.budgetTokens, Math.ceil(facts.queuedTokens / facts.idleRunners));
}

/**
 * Cuts inputs sorted by length into the runs that cost least in all: `starts[end]` is where the last run of the first
 * `end` inputs begins. A dynamic program over the ends.
 *
 * The cost of a run, base + (end - start) x marginal(longest), satisfies the quadrangle inequality, as lengths ascend:
 * the best start never moves back as the end moves on, and the search begins at the last one. (It is the first of equal
 * ones: of equally cheap cuts the fuller batch.)
 */
function cheapestCuts(lengths: Float64Array, limit: number, facts: PolicyFacts): Uint32Array {
  const { curve } = facts;
  const baseMs = Math.max(curve.baseMs, curve.msPerToken * facts.budgetTokens * LEAST_BASE_SHARE);
  const starts = new Uint32Array(lengths.length + 1);
  const totals = new Float64Array(lengths.length + 1);
  let best = 0;
  for (let end = 1; end <= lengths.length; end++) {
    const longest = lengths[end - 1] ?? 0;
    const inputMs = marginalMs(curve, longest);
    let least = Number.POSITIVE_INFINITY;
    for (let start = Math.max(best, end - mostInputs(longest, inputMs, limit, facts)); start < end; start++) {
      const total = (totals[start] ?? 0) + baseMs + (end - start) * inputMs;
      if (total < least) {
        least = total;
        best = start;
      }
    }
    starts[end] = best;
    totals[end] = least;
  }
  return starts;
}

/** How many inputs of this length one batch may hold; one always may run. */
function mostInputs(longest: number, inputMs: number, limit: number, facts: PolicyFacts): number {
  const byRunTime = inputMs > 0 ? (facts.maxRunMs - facts.curve.baseMs) / inputMs : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor(Math.min(facts.maxItems, limit / longest, byRunTime)));
}

function closeReason(size: number, longest: number, limit: number, facts: PolicyFacts): CloseReason {
  if (size >= facts.maxItems) return 'items';
  const padded = (size + 1) * longest;
  if (padded > facts.budgetTokens) return 'budget';
  const inputMs = marginalMs(facts.curve, longest);
  if (size >= mostInputs(longest, inputMs, Number.POSITIVE_INFINITY, facts)) return 'run_time';
  if (size === facts.queuedItems) return 'drained';
  return padded > limit ? 'shared' : 'length';
}
