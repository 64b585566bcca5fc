import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { SharedFlight } from '../../../src/cache/single-flight.js';
import { SingleFlight } from '../../../src/cache/single-flight.js';
import type { Flight, Resolved } from '../../../src/cache/types.js';
import { VerdictError } from '../../../src/errors.js';
import { computedOf } from '../../support/cache-entries.js';
import { patientClaim } from '../../support/patient-claim.js';
import { ToldStages } from '../../support/told-stages.js';

/** Work that ends when the test says so. */
function controlledWork() {
  const runs: { flight: Flight; succeed(): void; fail(error: unknown): void }[] = [];
  const work = (flight: SharedFlight): Promise<Resolved> =>
    new Promise((resolve, reject) => {
      runs.push({
        flight,
        succeed: () => resolve({ ...computedOf(1, 2), outcome: 'miss' }),
        fail: reject,
      });
    });
  const run = (index: number) => {
    const found = runs[index];
    assert.ok(found, `run ${index} has not begun`);
    return found;
  };
  return { work, runs, run };
}

const refused = () => new VerdictError('resource_exhausted', 'full', { reason: 'QUEUE_FULL' });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const hasCode = (code: string) => (error: unknown) => error instanceof VerdictError && error.code === code;

test('a hundred callers with one key make one flight; the first is the miss, the others coalesce', async () => {
  let joins = 0;
  const flights = new SingleFlight(() => (joins += 1));
  const { work, runs, run } = controlledWork();
  const answers = Array.from({ length: 100 }, () => flights.joinOrStart('k', patientClaim(), work));
  assert.equal(runs.length, 1);
  run(0).succeed();
  const [first, ...others] = await Promise.all(answers);
  assert.equal(first?.outcome, 'miss');
  assert.deepEqual(first?.timings, computedOf().timings);
  for (const other of others) {
    assert.equal(other.outcome, 'coalesced');
    assert.equal(other.entry, first?.entry);
    assert.equal(other.timings.inferenceMs, 0);
    assert.ok(other.timings.queueMs >= 0);
  }
  assert.equal(joins, 99);
  assert.equal(flights.size, 0);
});

test('one waiter leaves, the leader even, and the others are answered', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const leaving = new AbortController();
  const leader = flights.joinOrStart('k', patientClaim({ signal: leaving.signal }), work);
  const joiner = flights.joinOrStart('k', patientClaim(), work);
  leaving.abort();
  await assert.rejects(leader, hasCode('cancelled'));
  assert.equal(run(0).flight.abandoned, false);
  run(0).succeed();
  assert.equal((await joiner).outcome, 'coalesced');
  assert.equal(runs.length, 1);
});

test('when all have left the work is told once, and whoever comes later begins anew', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const [one, other] = [new AbortController(), new AbortController()];
  const answers = [one, other].map(({ signal }) => flights.joinOrStart('k', patientClaim({ signal }), work));
  let told = 0;
  run(0).flight.onAbandon(() => (told += 1));
  one.abort();
  assert.equal(told, 0);
  other.abort();
  assert.equal(told, 1);
  for (const answer of answers) await assert.rejects(answer, hasCode('cancelled'));
  run(0).flight.onAbandon(() => (told += 1));
  assert.equal(told, 2, 'a listener that comes too late is called at once');

  const late = flights.joinOrStart('k', patientClaim(), work);
  assert.equal(runs.length, 2);
  run(0).fail(new VerdictError('cancelled', 'gave up', { reason: 'CANCELLED' }));
  await settled();
  run(1).succeed();
  assert.equal((await late).outcome, 'miss');
});

test("one waiter's deadline is its own", async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const hurried = flights.joinOrStart('k', patientClaim({ deadlineAt: performance.now() + 5 }), work);
  const patient = flights.joinOrStart('k', patientClaim({ deadlineAt: performance.now() + 1e12 }), work);
  await assert.rejects(hurried, hasCode('deadline_exceeded'));
  run(0).succeed();
  assert.equal((await patient).outcome, 'coalesced');
});

test('the deadline of a flight is the latest of its waiters', async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const now = performance.now();
  const controller = new AbortController();
  const { signal } = controller;
  const answers = [50_000, 90_000, 70_000].map((ms) =>
    flights.joinOrStart('k', patientClaim({ deadlineAt: now + ms, signal }), work),
  );
  assert.equal(run(0).flight.deadlineAt, now + 90_000);
  controller.abort();
  for (const answer of answers) await assert.rejects(answer, hasCode('cancelled'));
});

test('whoever has left or is late already does not begin a flight', async () => {
  const flights = new SingleFlight();
  const { work, runs } = controlledWork();
  const gone = patientClaim({ signal: AbortSignal.abort() });
  const late = patientClaim({ deadlineAt: performance.now() - 1 });
  for (const begin of [
    () => flights.joinOrStart('k', gone, work),
    () => flights.replace('k', gone, work),
    () => flights.alone(gone, work),
  ]) {
    await assert.rejects(begin(), hasCode('cancelled'));
  }
  await assert.rejects(flights.joinOrStart('k', late, work), hasCode('deadline_exceeded'));
  assert.equal(runs.length, 0);
});

test('a waiter leaves with the error that its call ended with', async () => {
  const flights = new SingleFlight();
  const { work } = controlledWork();
  const call = new AbortController();
  const draining = new VerdictError('unavailable', 'stopping', { reason: 'DRAINING' });
  const answer = flights.joinOrStart('k', patientClaim({ signal: call.signal }), work);
  call.abort(draining);
  await assert.rejects(answer, draining);
});

test('an error of the work is the error of everybody, and is not remembered', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const answers = [1, 2, 3].map(() => flights.joinOrStart('k', patientClaim(), work));
  const poison = new VerdictError('internal', 'failed', { reason: 'INTERNAL' });
  run(0).fail(poison);
  for (const answer of answers) await assert.rejects(answer, poison);
  const next = flights.joinOrStart('k', patientClaim(), work);
  assert.equal(runs.length, 2);
  run(1).succeed();
  await next;
});

test('a full queue refuses those who refuse to queue; those who would wait try again', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const unary = [1, 2].map(() => flights.joinOrStart('k', patientClaim({ whenFull: 'refuse' }), work));
  const streams = [1, 2].map(() => flights.joinOrStart('k', patientClaim({ whenFull: 'wait' }), work));
  run(0).fail(refused());
  for (const answer of unary) await assert.rejects(answer, hasCode('resource_exhausted'));
  assert.equal(runs.length, 2);
  run(1).succeed();
  const outcomes = (await Promise.all(streams)).map((resolved) => resolved.outcome);
  assert.deepEqual(outcomes, ['miss', 'coalesced']);
});

test('a refusal met by a leader that waits is shared by all', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const answers = (['wait', 'wait', 'refuse'] as const).map((whenFull) =>
    flights.joinOrStart('k', patientClaim({ whenFull }), work),
  );
  run(0).fail(refused());
  for (const answer of answers) await assert.rejects(answer, hasCode('resource_exhausted'));
  assert.equal(runs.length, 1);
});

test("work that ran out of the leader's time begins again for those who have more", async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const leader = flights.joinOrStart('k', patientClaim(), work);
  const joiner = flights.joinOrStart('k', patientClaim(), work);
  run(0).fail(new VerdictError('deadline_exceeded', 'expired', { reason: 'DEADLINE_EXCEEDED' }));
  await assert.rejects(leader, hasCode('deadline_exceeded'));
  run(1).succeed();
  assert.equal((await joiner).outcome, 'miss');
});

test('attempts end even if every one runs out of time', async () => {
  const flights = new SingleFlight();
  let runs = 0;
  const work = (): Promise<Resolved> => {
    runs += 1;
    return Promise.reject(new VerdictError('deadline_exceeded', 'expired', { reason: 'DEADLINE_EXCEEDED' }));
  };
  const answers = Array.from({ length: 5 }, () => flights.joinOrStart('k', patientClaim(), work));
  for (const answer of answers) await assert.rejects(answer, hasCode('deadline_exceeded'));
  assert.equal(runs, 5);
  assert.equal(flights.size, 0);
});

test('a replaced flight still answers those who wait for it, and can no longer be joined', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const old = flights.joinOrStart('k', patientClaim(), work);
  const fresh = flights.replace('k', patientClaim(), work);
  const joiner = flights.joinOrStart('k', patientClaim(), work);
  assert.equal(runs.length, 2);
  run(1).succeed();
  assert.equal((await fresh).outcome, 'miss');
  assert.equal((await joiner).outcome, 'coalesced');
  run(0).succeed();
  assert.equal((await old).outcome, 'miss');
});

test('no listener stays on the signal of a call, however the wait ends', async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const { signal } = new AbortController();
  const answer = flights.joinOrStart('answered', patientClaim({ signal }), work);
  const failed = flights.joinOrStart('failed', patientClaim({ signal }), work);
  const late = flights.joinOrStart('late', patientClaim({ signal, deadlineAt: performance.now() + 1 }), work);
  assert.equal(getEventListeners(signal, 'abort').length, 3);
  run(0).succeed();
  run(1).fail(new Error('broken'));
  await answer;
  await assert.rejects(failed);
  await assert.rejects(late);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a flight has the class and flow of its leader, until somebody more urgent joins', async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const [leadersFlow, othersFlow, urgentFlow] = [{}, {}, {}];
  let told = 0;
  const answers = [
    flights.joinOrStart('k', patientClaim({ serviceClass: 'bulk', flow: leadersFlow }), work),
    flights.joinOrStart('k', patientClaim({ serviceClass: 'bulk', flow: othersFlow }), work),
  ];
  const { flight } = run(0);
  flight.onUrgent(() => (told += 1));
  assert.deepEqual([flight.serviceClass, flight.flow === leadersFlow, told], ['bulk', true, 0]);
  for (const flow of [urgentFlow, undefined]) {
    answers.push(flights.joinOrStart('k', patientClaim({ serviceClass: 'interactive', flow }), work));
    assert.deepEqual([flight.serviceClass, flight.flow === urgentFlow, told], ['interactive', true, 1]);
  }
  flight.onUrgent(() => assert.fail('it was urgent before'));
  run(0).succeed();
  assert.equal((await Promise.all(answers)).length, 4);
});

test('a caller that names no class is as urgent as one can be', async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const bulk = flights.joinOrStart('k', patientClaim({ serviceClass: 'bulk', flow: {} }), work);
  const unnamed = flights.joinOrStart('k', patientClaim(), work);
  assert.deepEqual([run(0).flight.serviceClass, run(0).flight.flow], ['interactive', undefined]);
  run(0).succeed();
  await Promise.all([bulk, unnamed]);
});

test('the items of a stream share one listener, and leave with their stream, each its own flight', async () => {
  const flights = new SingleFlight();
  const { work, runs, run } = controlledWork();
  const stream = new AbortController();
  const { signal } = stream;
  const item = (key: string) => flights.joinOrStart(key, patientClaim({ signal, whenFull: 'wait' }), work);
  const [answered, ...left] = [item('a'), item('b'), item('c')];
  const elsewhere = flights.joinOrStart('b', patientClaim({ whenFull: 'wait' }), work);
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  run(0).succeed();
  assert.equal((await answered)?.outcome, 'miss');
  stream.abort();
  for (const answer of left) await assert.rejects(answer, hasCode('cancelled'));
  assert.deepEqual(
    runs.map(({ flight }) => flight.abandoned),
    [false, false, true],
  );
  run(1).succeed();
  assert.equal((await elsewhere).outcome, 'coalesced');
});

test('the work is told to the trace of the leader, and the wait to those of the others, with whose work it was', async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const [leading, joining] = [new ToldStages(), new ToldStages()];
  const answers = [leading, joining].map((trace) => flights.joinOrStart('k', patientClaim({ trace }), work));
  assert.equal(run(0).flight.trace, leading);
  run(0).succeed();
  await Promise.all(answers);
  assert.deepEqual(leading.names, []);
  assert.deepEqual([joining.names, joining.waitedFor], [['join'], [leading]]);
});

test('whoever leads next gets the work in its trace', async () => {
  const flights = new SingleFlight();
  const { work, run } = controlledWork();
  const next = new ToldStages();
  const first = flights.joinOrStart('k', patientClaim({ trace: new ToldStages() }), work);
  const second = flights.joinOrStart('k', patientClaim({ whenFull: 'wait', trace: next }), work);
  run(0).fail(refused());
  await assert.rejects(first);
  await settled();
  assert.equal(run(1).flight.trace, next);
  run(1).succeed();
  await second;
});
