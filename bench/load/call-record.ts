import { RetryInfo } from '../../generated/google/rpc/error_details.js';
import { Status } from '../../generated/google/rpc/status.js';
import type { RawAnswer } from './raw-unary-client.js';

const OK = 0;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;

/** What became of the calls of one run. Latencies in milliseconds, from the intended send time. */
export interface CallCounts {
  /** Answered OK within the deadline (or without one). */
  okMs: number[];
  /** Answered OK, too late. */
  late: number;
  /** Answered DEADLINE_EXCEEDED. */
  expired: number;
  /** Refused with RESOURCE_EXHAUSTED. */
  refusedMs: number[];
  /** Of the refused ones, those without RetryInfo. */
  withoutRetryInfo: number;
  /** Ended in any other way. */
  failed: number;
}

/** Sorts answers by what they mean to a caller. */
export class CallRecord {
  readonly counts: CallCounts = {
    okMs: [],
    late: 0,
    expired: 0,
    refusedMs: [],
    withoutRetryInfo: 0,
    failed: 0,
  };
  readonly #deadlineMs: number;

  /** @param deadlineMs from the intended send time; Infinity: none */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  add(answer: RawAnswer, intendedAt: number, answeredAt: number): void {
    const { counts } = this;
    const latencyMs = answeredAt - intendedAt;
    if (answer.status === OK) {
      if (latencyMs <= this.#deadlineMs) counts.okMs.push(latencyMs);
      else counts.late++;
    } else if (answer.status === RESOURCE_EXHAUSTED) {
      counts.refusedMs.push(latencyMs);
      if (!hasRetryInfo(answer.details)) counts.withoutRetryInfo++;
    } else if (answer.status === DEADLINE_EXCEEDED) {
      counts.expired++;
    } else {
      counts.failed++;
    }
  }
}

/** Whether a `grpc-status-details-bin` value holds a RetryInfo with a delay. */
function hasRetryInfo(details: string | undefined): boolean {
  if (details === undefined) return false;
  return Status.decode(Buffer.from(details, 'base64')).details.some(
    ({ typeUrl, value }) =>
      typeUrl.endsWith('/google.rpc.RetryInfo') && RetryInfo.decode(value).retryDelay !== undefined,
  );
}
