import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallRecord } from '../../../bench/load/call-record.js';
import { RetryInfo } from '../../../generated/google/rpc/error_details.js';
import { Status } from '../../../generated/google/rpc/status.js';

const withRetryInfo = Buffer.from(
  Status.encode({
    code: 8,
    message: 'full',
    details: [
      {
        typeUrl: 'type.googleapis.com/google.rpc.RetryInfo',
        value: Buffer.from(RetryInfo.encode({ retryDelay: { seconds: 1n, nanos: 0 } }).finish()),
      },
    ],
  }).finish(),
).toString('base64');
const withoutDelay = Buffer.from(Status.encode({ code: 8, message: 'full', details: [] }).finish()).toString(
  'base64',
);

describe('CallRecord', () => {
  it('counts an answer as in time up to the deadline after the intended time, and as late beyond it', () => {
    const record = new CallRecord(500);
    record.add({ status: 0, details: undefined }, 1_000, 1_500);
    record.add({ status: 0, details: undefined }, 1_000, 1_500.5);
    assert.deepEqual(record.counts.okMs, [500]);
    assert.equal(record.counts.late, 1);
  });

  it('tells refusals that carry RetryInfo from those that do not', () => {
    const record = new CallRecord(500);
    record.add({ status: 8, details: withRetryInfo }, 0, 2);
    record.add({ status: 8, details: withoutDelay }, 0, 3);
    record.add({ status: 8, details: undefined }, 0, 4);
    assert.deepEqual(record.counts.refusedMs, [2, 3, 4]);
    assert.equal(record.counts.withoutRetryInfo, 2);
  });

  it('keeps expired calls and other failures apart', () => {
    const record = new CallRecord(500);
    record.add({ status: 4, details: undefined }, 0, 500);
    record.add({ status: 14, details: undefined }, 0, 1);
    assert.equal(record.counts.expired, 1);
    assert.equal(record.counts.failed, 1);
    assert.deepEqual(record.counts.okMs, []);
  });
});
