import type { Any } from '../../generated/google/protobuf/any.js';
import {
  BadRequest,
  ErrorInfo,
  QuotaFailure,
  RequestInfo,
  ResourceInfo,
  RetryInfo,
} from '../../generated/google/rpc/error_details.js';
import type { FieldViolation, VerdictError } from '../errors.js';
import type { MessageType } from './codec.js';

/** The `domain` of every ErrorInfo: reasons are unique within it. */
export const errorDomain = 'verdict.v1';

/**
 * Bytes that field violations may take. Details travel in a header: grpc-js clients never see the status when it
 * grows to some tens of kilobytes, and proxies commonly cut at 8 KiB for all headers together.
 */
const maxViolationBytes = 2048;
/** Tags and lengths of one violation, generously. */
const violationOverhead = 16;
const maxFieldChars = 96;
const maxDescriptionChars = 256;
const maxNameChars = 64;

/**
 * The text, cut to a number of UTF-16 units, with lone surrogates replaced: grpc-js passes status messages to
 * encodeURI, which throws on them, out of reach of any handler.
 */
export function plainText(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/\p{Surrogate}/gu, '\uFFFD');
}

function pack<T>(name: string, type: MessageType<T>, message: T): Any {
  return {
    typeUrl: `type.googleapis.com/google.rpc.${name}`,
    value: Buffer.from(type.encode(message).finish()),
  };
}

/** As many violations as fit, the first ones first. */
function badRequest(violations: readonly FieldViolation[]): Any {
  const fieldViolations: BadRequest['fieldViolations'] = [];
  let bytes = 0;
  for (const violation of violations) {
    const field = plainText(violation.field, maxFieldChars);
    const description = plainText(violation.description, maxDescriptionChars);
    bytes += Buffer.byteLength(field) + Buffer.byteLength(description) + violationOverhead;
    if (bytes > maxViolationBytes) break;
    fieldViolations.push({ field, description });
  }
  return pack('BadRequest', BadRequest, { fieldViolations });
}

/** Says which reason, within `verdict.v1`, is behind a status. */
export function errorInfo(reason: string): Any {
  return pack('ErrorInfo', ErrorInfo, { reason, domain: errorDomain, metadata: {} });
}

/**
 * What a caller's code can act on: ErrorInfo always; BadRequest, RetryInfo, ResourceInfo and QuotaFailure where the error has
 * them; RequestInfo for internal errors, so that the caller can quote what to look for in the log.
 */
export function errorDetails(error: VerdictError, requestId: string): Any[] {
  const details = [errorInfo(plainText(error.reason, maxNameChars))];
  if (error.violations.length > 0) details.push(badRequest(error.violations));
  if (error.retryAfterMs !== undefined && Number.isFinite(error.retryAfterMs)) {
    const ms = Math.max(0, Math.ceil(error.retryAfterMs));
    const retryDelay = { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
    details.push(pack('RetryInfo', RetryInfo, { retryDelay }));
  }
  if (error.resource !== undefined) {
    const resourceType = plainText(error.resource.type, maxNameChars);
    const resourceName = plainText(error.resource.name, maxNameChars);
    details.push(
      pack('ResourceInfo', ResourceInfo, { resourceType, resourceName, owner: '', description: '' }),
    );
  }
  if (error.quota !== undefined) {
    const subject = plainText(error.quota.subject, maxNameChars);
    const description = plainText(error.quota.description, maxDescriptionChars);
    details.push(pack('QuotaFailure', QuotaFailure, { violations: [{ subject, description }] }));
  }
  if (error.code === 'internal')
    details.push(pack('RequestInfo', RequestInfo, { requestId, servingData: '' }));
  return details;
}
