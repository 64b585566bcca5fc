import type { HeapProfiler, Profiler } from 'node:inspector';
import { frameName, selfTimes } from './flame-tree.js';

/** One function and its share of the whole. */
export interface TopEntry {
  readonly name: string;
  /** Milliseconds, or bytes. */
  readonly self: number;
  /** Of everything that is not idle; 0 to 1. */
  readonly share: number;
}

/** The functions with the most self time, first the largest. */
export function topBySelfTime(profile: Profiler.Profile, count: number): TopEntry[] {
  const times = selfTimes(profile);
  const byName = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    if (callFrame.functionName !== '(idle)') add(byName, frameName(callFrame), times.get(id) ?? 0);
  }
  return top(byName, count);
}

/** The functions that allocated the most bytes themselves, first the largest. */
export function topByAllocation({ head }: HeapProfiler.SamplingHeapProfile, count: number): TopEntry[] {
  const byName = new Map<string, number>();
  const visit = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode) => {
    add(byName, frameName(callFrame), selfSize);
    for (const child of children) visit(child);
  };
  visit(head);
  return top(byName, count);
}

function add(sums: Map<string, number>, name: string, amount: number): void {
  sums.set(name, (sums.get(name) ?? 0) + amount);
}

function top(sums: ReadonlyMap<string, number>, count: number): TopEntry[] {
  let total = 0;
  for (const self of sums.values()) total += self;
  return [...sums]
    .filter(([, self]) => self > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, self]) => ({ name, self, share: self / total }));
}
