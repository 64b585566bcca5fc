import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { fromServiceError } from '../../../clients/typescript/src/client-error.js';
import { decodeDetails, NO_DETAILS, parseStatus } from '../../../clients/typescript/src/status-details.js';
import { BadRequest, RequestInfo, ResourceInfo } from '../../../generated/google/rpc/error_details.js';
import { Status } from '../../../generated/google/rpc/status.js';

const any = (name: string, bytes: Uint8Array) => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value: Buffer.from(bytes),
});

function callError(code: number, metadata: Metadata) {
  return Object.assign(new Error('1 FAILED: no'), { code, details: 'no', metadata });
}

test('Violations, resource and request id are read, whatever else is there', () => {
  const details = decodeDetails([
    any('Unheard', Buffer.from('of')),
    any(
      'BadRequest',
      BadRequest.encode(
        BadRequest.fromPartial({ fieldViolations: [{ field: 'options.top_k', description: 'too many' }] }),
      ).finish(),
    ),
    any(
      'ResourceInfo',
      ResourceInfo.encode(ResourceInfo.fromPartial({ resourceType: 'model', resourceName: 'x' })).finish(),
    ),
    any('RequestInfo', RequestInfo.encode(RequestInfo.fromPartial({ requestId: 'r-1' })).finish()),
  ]);
  assert.deepEqual(details, {
    ...NO_DETAILS,
    violations: [{ field: 'options.top_k', description: 'too many' }],
    resource: { type: 'model', name: 'x' },
    requestId: 'r-1',
  });
});

test('Details that do not parse are passed over and hide nothing', () => {
  const broken = any('ErrorInfo', Buffer.from([0x0a, 0xff]));
  assert.deepEqual(decodeDetails([broken, any('RequestInfo', Buffer.from('\n\u0003abc'))]), {
    ...NO_DETAILS,
    requestId: 'abc',
  });
});

test('A status that a proxy has mangled leaves code and message', () => {
  assert.equal(parseStatus(Buffer.from([0x1a, 0x7f])), undefined);
  assert.equal(parseStatus('text'), undefined);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from([0x1a, 0x7f]));
  const error = fromServiceError(callError(status.INTERNAL, metadata), 'sent-1');
  assert.equal(error.code, 'INTERNAL');
  assert.equal(error.message, 'no');
  assert.equal(error.requestId, 'sent-1');
});

test('The request id that the server chose is told, from details or from the header', () => {
  const metadata = new Metadata();
  metadata.set('x-request-id', 'header-1');
  assert.equal(fromServiceError(callError(status.INTERNAL, metadata), undefined).requestId, 'header-1');
  const details = [
    any('RequestInfo', RequestInfo.encode(RequestInfo.fromPartial({ requestId: 'detail-1' })).finish()),
  ];
  metadata.set(
    'grpc-status-details-bin',
    Buffer.from(Status.encode({ code: 13, message: '', details }).finish()),
  );
  assert.equal(fromServiceError(callError(status.INTERNAL, metadata), undefined).requestId, 'detail-1');
});

test('A code that gRPC does not know is UNKNOWN', () => {
  assert.equal(fromServiceError(callError(99, new Metadata()), undefined).code, 'UNKNOWN');
});
