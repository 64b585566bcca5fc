import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { endedChildrenMs } from './processor-time.js';

/** CPU time that was not the suite's, over a while. Shares are of all cores' time. */
export interface ForeignCpu {
  /** What processes other than the suite's took. */
  readonly othersShare: number;
  /** What the hypervisor gave to other machines. */
  readonly stealShare: number;
}

/** What else the machine did while a scenario ran, and just before. */
export interface Disturbance extends ForeignCpu {
  /** CPU time that others took, machines included, in the seconds before the start, when nothing of the suite ran. */
  readonly takenBefore: number;
}

/** CPU time of the whole machine since it started, in ticks of the kernel. */
export interface MachineTicks {
  readonly busy: number;
  readonly steal: number;
  readonly total: number;
}

/** The machine's CPU time and the suite's within it. */
export interface CpuReading {
  readonly machine: MachineTicks;
  readonly ownMs: number;
}

const MAX_TAKEN_BEFORE = 0.1;
const MAX_OTHERS_SHARE = 0.1;
const MAX_STEAL_SHARE = 0.05;
const TICK_MS = 10;

/**
 * Looks at the machine for a while. The load average would not do: it still holds the scenario before, for minutes.
 *
 * @returns the share of the CPU that others took meanwhile, machines included
 * @throws the signal's reason
 */
export async function takenByOthers(overMs: number, signal: AbortSignal): Promise<number> {
  const end = watchForeignCpu();
  await delay(overMs, undefined, { signal });
  const { othersShare, stealShare } = end();
  return othersShare + stealShare;
}

/** Starts watching; the answer ends it. The suite's own processes have to have ended by then. */
export function watchForeignCpu(): () => ForeignCpu {
  const before = readCpu();
  return () => foreignCpu(before, readCpu());
}

/** What was not the suite's between two readings. */
export function foreignCpu(before: CpuReading, after: CpuReading): ForeignCpu {
  const total = after.machine.total - before.machine.total;
  // Ticks are counted per core, and a scenario may end within its first one.
  if (total === 0) return { othersShare: 0, stealShare: 0 };
  const busy = after.machine.busy - before.machine.busy;
  const own = (after.ownMs - before.ownMs) / TICK_MS;
  return {
    othersShare: Math.max(0, (busy - own) / total),
    stealShare: (after.machine.steal - before.machine.steal) / total,
  };
}

/** Why nothing that was measured meanwhile should be trusted, in words; empty: no reason. */
export function disturbanceWarnings({ takenBefore, othersShare, stealShare }: Disturbance): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const warnings: string[] = [];
  if (takenBefore > MAX_TAKEN_BEFORE) {
    warnings.push(`others took ${percent(takenBefore)} of the CPU just before the start`);
  }
  if (othersShare > MAX_OTHERS_SHARE) {
    warnings.push(`other processes took ${percent(othersShare)} of the CPU`);
  }
  if (Number.isNaN(othersShare)) warnings.push('what else the machine did is not known');
  if (stealShare > MAX_STEAL_SHARE) warnings.push(`other machines took ${percent(stealShare)} of the CPU`);
  return warnings;
}

/** Reads the first line of `/proc/stat`: user nice system idle iowait irq softirq steal, guest times within user. */
export function parseMachineTicks(stat: string): MachineTicks {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = stat
    .slice(0, stat.indexOf('\n'))
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + softirq;
  return { busy, steal, total: busy + steal + idle + iowait };
}

/** The suite is this process and all that it started and saw the end of. */
function readCpu(): CpuReading {
  const { user, system } = process.cpuUsage();
  return { machine: readMachineTicks(), ownMs: (user + system) / 1_000 + endedChildrenMs() };
}

function readMachineTicks(): MachineTicks {
  try {
    return parseMachineTicks(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return { busy: Number.NaN, steal: Number.NaN, total: Number.NaN };
  }
}
