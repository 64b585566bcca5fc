import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { cpuTime } from './cpu-time.js';

/** What else the machine did while a scenario ran. Shares are of all cores' time. */
export interface Disturbance {
  /** Runnable processes per core, averaged over the minute before the suite began. */
  readonly loadBefore: number;
  /** CPU time that processes other than the suite's took. */
  readonly othersShare: number;
  /** CPU time that the hypervisor gave to other machines. */
  readonly stealShare: number;
}

/** CPU time of the whole machine since it started, in ticks of the kernel. */
export interface MachineTicks {
  readonly busy: number;
  readonly steal: number;
  readonly total: number;
}

const MAX_LOAD_BEFORE = 0.5;
const MAX_OTHERS_SHARE = 0.1;
const MAX_STEAL_SHARE = 0.05;
const TICK_MS = 10;

/** Runnable processes per core, averaged over the last minute. */
export function loadPerCore(): number {
  return (loadavg()[0] ?? 0) / availableParallelism();
}

/**
 * Starts watching; the answer ends it. The suite's own processes have to have ended by then.
 *
 * @param loadBefore what `loadPerCore` gave before the suite's first scenario: later it would be the suite's own
 */
export function watchDisturbance(loadBefore: number): () => Disturbance {
  const before = { machine: readMachineTicks(), ownMs: ownCpuMs() };
  return () => {
    const after = { machine: readMachineTicks(), ownMs: ownCpuMs() };
    const total = after.machine.total - before.machine.total;
    const busy = after.machine.busy - before.machine.busy;
    const own = (after.ownMs - before.ownMs) / TICK_MS;
    return {
      loadBefore,
      // Ticks are counted per core, and a scenario may end within its first one.
      othersShare: total === 0 ? 0 : Math.max(0, (busy - own) / total),
      stealShare: total === 0 ? 0 : (after.machine.steal - before.machine.steal) / total,
    };
  };
}

/** Why nothing that was measured meanwhile should be trusted, in words; empty: no reason. */
export function disturbanceWarnings({ loadBefore, othersShare, stealShare }: Disturbance): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const warnings: string[] = [];
  if (loadBefore > MAX_LOAD_BEFORE) {
    warnings.push(`the load before the start was ${loadBefore.toFixed(2)} per core`);
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

function readMachineTicks(): MachineTicks {
  try {
    return parseMachineTicks(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return { busy: Number.NaN, steal: Number.NaN, total: Number.NaN };
  }
}

/** This process and all that it started and saw the end of. */
function ownCpuMs(): number {
  const { ownMs, childrenMs } = cpuTime('self');
  return ownMs + childrenMs;
}
