import { setTimeout as sleep } from 'node:timers/promises';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { ClassifyRequest } from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';
import { seededRandom } from '../inputs/random.js';
import { quantile } from '../statistics.js';
import { CallRecord } from './call-record.js';
import { type LoopClock, runOpenLoop } from './open-loop.js';
import type { PacedResult, PacedRun, PacedSetup } from './paced-calls.js';
import { PoissonArrivals } from './poisson-arrivals.js';
import { RawUnaryClient, toFrame } from './raw-unary-client.js';

// Unary calls over ClassifierService.Classify, in an open or in a closed loop, in a process of its own.

/** Longest wait for what is unanswered at the end; then its connections are cut. */
const GIVE_UP_MS = 30_000;
const REAL_CLOCK: LoopClock = {
  now: () => performance.now(),
  after: (delayMs, callback) => void setTimeout(callback, delayMs),
};

let client: RawUnaryClient | undefined;
let frames: Uint8Array[] = [];

serveParent(async (request: PacedSetup | PacedRun) => {
  if ('address' in request) return setUp(request);
  if (client === undefined) throw new Error('no address yet');
  return request.kind === 'open' ? await openLoop(client, request) : await closedLoop(client, request);
});

function setUp({ address, model, texts, connections, headers, bypassCache }: PacedSetup): { ok: true } {
  client?.close();
  client = new RawUnaryClient(address, '/verdict.v1.ClassifierService/Classify', connections, headers);
  frames = texts.map((text) =>
    toFrame(
      ClassifyRequest.encode(
        ClassifyRequest.fromPartial({
          model,
          input: { $case: 'text', value: text },
          options: bypassCache ? { cache: CacheMode.BYPASS } : undefined,
        }),
      ).finish(),
    ),
  );
  return { ok: true };
}

async function openLoop(to: RawUnaryClient, run: PacedRun & { kind: 'open' }): Promise<PacedResult> {
  const { durationMs, rampMs, deadlineMs, ratePerSecond, seed } = run;
  const record = new CallRecord(deadlineMs);
  const countedFrom = performance.now() + rampMs;
  let calls = 0;
  const giveUp = setTimeout(() => to.close(), durationMs + GIVE_UP_MS);
  const lagsMs = await runOpenLoop({
    arrivals: new PoissonArrivals(ratePerSecond, seededRandom(seed)),
    durationMs,
    clock: REAL_CLOCK,
    send: async (index, intendedAt) => {
      const answer = await to.call(frameOf(index), remainingMs(deadlineMs, intendedAt));
      if (intendedAt < countedFrom) return;
      calls++;
      record.add(answer, intendedAt, performance.now());
    },
  });
  clearTimeout(giveUp);
  return { ...record.counts, calls, lagP99Ms: quantile(lagsMs, 0.99) };
}

async function closedLoop(to: RawUnaryClient, run: PacedRun & { kind: 'closed' }): Promise<PacedResult> {
  const { durationMs, rampMs, deadlineMs, inFlight } = run;
  const record = new CallRecord(deadlineMs);
  const startedAt = performance.now();
  const [countedFrom, endsAt] = [startedAt + rampMs, startedAt + durationMs];
  let calls = 0;
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let sentAt = performance.now(); sentAt < endsAt; sentAt = performance.now()) {
      const answer = await to.call(frameOf(next++), remainingMs(deadlineMs, sentAt));
      const answeredAt = performance.now();
      if (answeredAt >= countedFrom && answeredAt <= endsAt) {
        calls++;
        record.add(answer, sentAt, answeredAt);
      }
      // A server that refuses is not asked again at once: that would be a busy loop.
      if (answer.status !== 0) await sleep(1);
    }
  };
  const giveUp = setTimeout(() => to.close(), durationMs + GIVE_UP_MS);
  await Promise.all(Array.from({ length: inFlight }, caller));
  clearTimeout(giveUp);
  return { ...record.counts, calls, lagP99Ms: 0 };
}

function frameOf(index: number): Uint8Array {
  return frames[index % frames.length] ?? new Uint8Array(5);
}

/** What is left of a deadline that counts from the intended time. */
function remainingMs(deadlineMs: number, intendedAt: number): number | undefined {
  return deadlineMs === Number.POSITIVE_INFINITY ? undefined : intendedAt + deadlineMs - performance.now();
}
