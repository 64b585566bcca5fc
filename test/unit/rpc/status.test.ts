import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Status } from '../../../generated/google/rpc/status.js';
import { type ErrorCode, VerdictError } from '../../../src/errors.js';
import { asVerdictError, codeNames, okStatus, statusOf } from '../../../src/rpc/status.js';
import { decodeStatus } from './details.js';

test('no error is too big for a header, or breaks the encoding of the message', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3_000 });
  const violations = fc.array(fc.record({ field: text, description: text }), { maxLength: 100 });
  fc.assert(
    fc.property(
      text,
      text,
      violations,
      fc.record({ type: text, name: text }),
      (message, reason, fields, resource) => {
        const details = { reason, violations: fields, resource, retryAfterMs: 1 };
        const status = statusOf(new VerdictError('internal', message, details), 'id');
        assert.ok(status.message.length <= 256);
        assert.doesNotThrow(() => encodeURI(status.message));
        const bytes = Status.encode(status).finish();
        assert.ok(bytes.length <= 4_096, `${bytes.length} bytes`);
      },
    ),
    { numRuns: 200 },
  );
});

test('a message cut in the middle of a surrogate pair is still encodable', () => {
  const error = new VerdictError('invalid_argument', `${'x'.repeat(255)}\u{1f600}`, { reason: 'X' });
  assert.equal(statusOf(error, 'id').message.at(-1), '\ufffd');
});

test('the first violations are kept when not all fit', () => {
  const violations = Array.from({ length: 500 }, (_, n) => ({
    field: `inputs[${n}].text`,
    description: 'd'.repeat(50),
  }));
  const { fields } = decodeStatus(
    statusOf(new VerdictError('invalid_argument', 'm', { reason: 'X', violations }), 'id'),
  );
  assert.ok(fields.length > 10 && fields.length < 500);
  assert.equal(fields[0], 'inputs[0].text');
});

test('retry delays keep their milliseconds and are never negative', () => {
  for (const [given, told] of [
    [0, 0],
    [1, 1],
    [1_999.2, 2_000],
    [61_001, 61_001],
    [-5, 0],
  ] as const) {
    const error = new VerdictError('resource_exhausted', 'm', { reason: 'X', retryAfterMs: given });
    assert.equal(decodeStatus(statusOf(error, 'id')).retryMs, told);
  }
});

test('every code has its gRPC number', () => {
  const numbers: Record<ErrorCode, number> = {
    cancelled: 1,
    invalid_argument: 3,
    not_found: 5,
    permission_denied: 7,
    unauthenticated: 16,
    resource_exhausted: 8,
    deadline_exceeded: 4,
    unavailable: 14,
    internal: 13,
  };
  for (const [code, number] of Object.entries(numbers)) {
    const { code: sent } = statusOf(new VerdictError(code as ErrorCode, 'm', { reason: 'X' }), 'id');
    assert.equal(sent, number);
    assert.equal(codeNames.get(sent), code.toUpperCase());
  }
  assert.equal(codeNames.get(okStatus.code), 'OK');
});

test('what is not a VerdictError says nothing outside', () => {
  const error = asVerdictError(new TypeError('secret'));
  const status = statusOf(error, 'id-1');
  assert.equal(status.message, 'internal error');
  assert.ok(!Buffer.from(Status.encode(status).finish()).includes('secret'));
  assert.equal(decodeStatus(status).requestId, 'id-1');
});
