import { execFileSync } from 'node:child_process';
import type { Report } from '../report.js';
import { ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import type { ScenarioOptions } from './saturated-stream.js';

const START_BAR_MS = 2_000;
const MEMORY_BAR_MB = 450;

/** From spawning `node` to SERVING with all embedded models, and the memory of all its processes then. */
export async function startup(options: ScenarioOptions): Promise<Report> {
  const results: Record<string, number>[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const server = await ServerProcess.start({});
    const memoryMb = residentMb(server.pid);
    results.push({ startMs: server.startMs, memoryMb });
    options.onProgress(
      `round ${round}/${options.rounds}: serving after ${server.startMs.toFixed(0)} ms, ${memoryMb.toFixed(0)} MB`,
    );
    await server.stop();
  }
  const startMs = median(results.map((result) => result.startMs ?? Number.NaN));
  const memoryMb = median(results.map((result) => result.memoryMb ?? Number.NaN));
  return {
    scenario: 'startup',
    command: options.command,
    comparisons: [
      {
        name: 'node started to SERVING, embedded models',
        value: startMs,
        unit: 'ms',
        bar: `within ${START_BAR_MS}`,
        reached: startMs <= START_BAR_MS,
      },
      {
        name: 'resident memory, all processes, just started',
        value: memoryMb,
        unit: 'MB',
        bar: `under ${MEMORY_BAR_MB}`,
        reached: memoryMb < MEMORY_BAR_MB,
      },
    ],
    rounds: results,
  };
}

/** Resident set size of a process and its children, summed: pages that they share count more than once. */
function residentMb(pid: number): number {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' }).trim().split('\n');
  return (
    lines
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([own, parent]) => own === pid || parent === pid)
      .reduce((sum, [, , rss = 0]) => sum + rss, 0) / 1024
  );
}
