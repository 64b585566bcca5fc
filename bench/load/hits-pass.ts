import { type ProcessorTime, processorTime, timeBetween } from '../processor-time.js';
import type { ServerProcess } from '../server-process.js';
import type { ClosedLoop, LoadPass, LoadResult } from './closed-loop.js';

/** A pass, and what it cost the server, in microseconds of CPU time per text. */
export interface HitsPass extends LoadResult {
  readonly mainThreadUs: number;
  readonly otherThreadsUs: number;
  readonly childrenUs: number;
}

/** @param pid the server's process */
export async function timedPass(load: ClosedLoop, pid: number, pass: LoadPass): Promise<HitsPass> {
  const before = processorTime(pid);
  const result = await load.pass(pass);
  const spent = timeBetween(before, processorTime(pid));
  const usPerText = (part: keyof ProcessorTime) => (1000 * spent[part]) / result.answered;
  return {
    ...result,
    mainThreadUs: usPerText('mainThreadMs'),
    otherThreadsUs: usPerText('otherThreadsMs'),
    childrenUs: usPerText('childrenMs'),
  };
}

/** @throws Error where the cache did not answer every text: it would be something else that was measured */
export async function hitsPass(load: ClosedLoop, server: ServerProcess, pass: LoadPass): Promise<HitsPass> {
  const labels = { tier: 'lru', outcome: 'hit' };
  const before = (await server.metrics()).value('verdict_cache_requests_total', labels);
  const result = await timedPass(load, server.pid, pass);
  const hits = (await server.metrics()).value('verdict_cache_requests_total', labels) - before;
  if (hits !== result.answered) throw new Error(`${hits} of ${result.answered} texts were cached`);
  return result;
}

/** All threads of the server's main process. */
export function totalUs({ mainThreadUs, otherThreadsUs }: HitsPass): number {
  return mainThreadUs + otherThreadsUs;
}
