import type { JsonObject } from '@bufbuild/protobuf';

/** Stands for an answer that is a failure in a protocol which knows no failure of one input among several. */
export class FailedAnswer {
  /** @param status the google.rpc.Status of the first input that failed */
  constructor(readonly status: JsonObject & { readonly code: number }) {}
}
