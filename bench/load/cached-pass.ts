import { processMs } from '../processor-time.js';
import type { FastApiServer } from '../reference/fastapi-server.js';
import type { ServerProcess } from '../server-process.js';
import type { AnsweredPass, TextLoad } from './text-load.js';

/** A pass, and where its answers came from, as shares of the texts. */
export interface CachedPass extends AnsweredPass {
  /** What a cache answered, of any tier. Texts that joined a computation under way are no hits: they waited for the model. */
  readonly hitRatio: number;
  /** What the server's own memory answered; 0 where it has no such tier. */
  readonly memoryHitRatio: number;
  /** CPU time that the server's process took for each text; that of Verdict's sessions is not in it. */
  readonly serverMsPerText: number;
}

/** Texts of `order` to the FastAPI baseline, which counts its hits itself. */
export async function fastApiPass(
  load: TextLoad,
  server: FastApiServer,
  pass: { readonly inFlight: number; readonly order: readonly number[] },
): Promise<CachedPass> {
  const before = await server.counts();
  const msBefore = processMs(server.pid);
  const result = await load.pass(pass);
  const serverMs = processMs(server.pid) - msBefore;
  const after = await server.counts();
  return {
    ...result,
    hitRatio: (after.cacheHits - before.cacheHits) / pass.order.length,
    memoryHitRatio: 0,
    serverMsPerText: serverMs / pass.order.length,
  };
}

/** The same to Verdict, which says of each answer where it came from. */
export async function verdictPass(
  load: TextLoad,
  server: ServerProcess,
  pass: { readonly inFlight: number; readonly order: readonly number[] },
): Promise<CachedPass> {
  const memoryHits = async () =>
    (await server.metrics()).value('verdict_cache_requests_total', { tier: 'lru', outcome: 'hit' });
  const before = await memoryHits();
  const msBefore = processMs(server.pid);
  const result = await load.pass(pass);
  const serverMs = processMs(server.pid) - msBefore;
  return {
    ...result,
    hitRatio: result.bySource.cache / pass.order.length,
    memoryHitRatio: ((await memoryHits()) - before) / pass.order.length,
    serverMsPerText: serverMs / pass.order.length,
  };
}
