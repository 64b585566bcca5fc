import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempt, Breaker, type Pass } from '../../../src/redis/breaker.js';

function makeBreaker() {
  const clock = { ms: 0 };
  const states: string[] = [];
  const breaker = new Breaker({
    failureThreshold: 3,
    initialBackoffMs: 100,
    maxBackoffMs: 300,
    now: () => clock.ms,
    onState: (state) => states.push(state),
  });
  return { breaker, clock, states };
}

function pass(breaker: Breaker, attempt: Attempt = 'read'): Pass {
  const given = breaker.tryPass(attempt);
  assert.ok(given !== undefined, 'the breaker refused');
  return given;
}

function fail(breaker: Breaker): void {
  breaker.failed(pass(breaker));
}

function open(breaker: Breaker): void {
  for (let failure = 0; failure < 3; failure += 1) fail(breaker);
}

test('it opens after the given number of failures in a row', () => {
  const { breaker, states } = makeBreaker();
  fail(breaker);
  fail(breaker);
  assert.equal(breaker.state, 'closed');
  fail(breaker);
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.tryPass('read'), undefined);
  assert.deepEqual(states, ['open']);
});

test('a success in between starts the count again', () => {
  const { breaker } = makeBreaker();
  fail(breaker);
  fail(breaker);
  breaker.succeeded(pass(breaker));
  fail(breaker);
  fail(breaker);
  assert.equal(breaker.state, 'closed');
});

test('a hundred attempts that fail side by side are one failure', () => {
  const { breaker } = makeBreaker();
  const passes = Array.from({ length: 100 }, () => pass(breaker));
  for (const each of passes) breaker.failed(each);
  assert.equal(breaker.state, 'closed');
});

test('after the back-off exactly one attempt passes until its outcome is known', () => {
  const { breaker, clock } = makeBreaker();
  open(breaker);
  clock.ms = 99;
  assert.equal(breaker.tryPass('read'), undefined);
  clock.ms = 100;
  const probe = pass(breaker);
  assert.equal(breaker.state, 'half_open');
  assert.equal(breaker.tryPass('read'), undefined);
  clock.ms = 10_000;
  assert.equal(breaker.tryPass('read'), undefined);
  breaker.succeeded(probe);
  assert.equal(breaker.state, 'closed');
  pass(breaker);
  pass(breaker);
});

test('each failed probe doubles the back-off up to its bound, and a success resets it', () => {
  const { breaker, clock, states } = makeBreaker();
  open(breaker);
  for (const backoffMs of [100, 200, 300, 300]) {
    clock.ms += backoffMs - 1;
    assert.equal(breaker.tryPass('read'), undefined);
    clock.ms += 1;
    fail(breaker);
  }
  clock.ms += 300;
  breaker.succeeded(pass(breaker));
  open(breaker);
  clock.ms += 100;
  pass(breaker);
  assert.deepEqual(states.slice(-4), ['half_open', 'closed', 'open', 'half_open']);
});

test('an outcome from before it opened neither closes it nor counts against the probe', () => {
  const { breaker, clock } = makeBreaker();
  const [slow, slower] = [pass(breaker), pass(breaker)];
  open(breaker);
  breaker.succeeded(slow);
  assert.equal(breaker.state, 'open');
  clock.ms = 100;
  const probe = pass(breaker);
  breaker.failed(slower);
  assert.equal(breaker.state, 'half_open');
  breaker.succeeded(probe);
  assert.equal(breaker.state, 'closed');
});

test('a hint that the service is back ends the back-off', () => {
  const { breaker } = makeBreaker();
  breaker.probeSoon();
  assert.equal(breaker.state, 'closed');
  open(breaker);
  breaker.probeSoon();
  pass(breaker);
  assert.equal(breaker.state, 'half_open');
});

test('a service that refuses opens it at once, and only what it refused is tried again', () => {
  const { breaker, clock, states } = makeBreaker();
  breaker.refuse(pass(breaker, 'write'), 'write');
  assert.deepEqual(states, ['open']);
  assert.equal(breaker.refused, 'write');
  clock.ms = 100;
  assert.equal(breaker.mayPass('read'), false);
  assert.equal(breaker.tryPass('read'), undefined);
  assert.ok(breaker.mayPass('write'));
  breaker.succeeded(pass(breaker, 'write'));
  assert.equal(breaker.refused, undefined);
  assert.equal(breaker.state, 'closed');
  pass(breaker, 'read');
});

test('each refusal doubles the back-off, and a probe that fails otherwise leaves it to the same kind', () => {
  const { breaker, clock } = makeBreaker();
  breaker.refuse(pass(breaker, 'write'), 'write');
  clock.ms += 100;
  breaker.refuse(pass(breaker, 'write'), 'write');
  clock.ms += 199;
  assert.equal(breaker.mayPass('write'), false);
  clock.ms += 1;
  breaker.failed(pass(breaker, 'write'));
  clock.ms += 300;
  assert.equal(breaker.mayPass('read'), false);
  assert.equal(breaker.refused, 'write');
  pass(breaker, 'write');
});

test('what was on its way when the service refused neither closes it nor counts', () => {
  const { breaker, clock } = makeBreaker();
  const [read, write, slower] = [pass(breaker), pass(breaker, 'write'), pass(breaker, 'write')];
  breaker.refuse(write, 'write');
  breaker.refuse(slower, 'write');
  breaker.succeeded(read);
  assert.equal(breaker.state, 'open');
  clock.ms = 100;
  assert.ok(breaker.mayPass('write'), 'two refusals side by side are one');
});
