/**
 * The protocol between the server and a session process, over one socket pair. Both ends are on the same machine and
 * from the same build, so numbers are in native order and nothing is versioned.
 *
 * Request: three int32 (rows, width, numbers that follow, four bytes each), then for each feed that is sent (`sentFeeds`)
 * its rows one after another; of a ragged one, int32 lengths[rows] come before them. Reply: int32 kind, int32 payload bytes, float64 milliseconds, then the payload.
 */
export const REQUEST_HEADER_INTS = 3;
export const REPLY_HEADER_BYTES = 16;

/** What a reply holds. */
export const ReplyKind = {
  /** Payload: SessionInfo as JSON. */
  ready: 1,
  /** Payload: OpenRefusal as JSON. The process ends after it. */
  refused: 2,
  /** Payload: float32 logits, row after row. Milliseconds: the ONNX run. */
  logits: 3,
  /** Payload: ONNX Runtime's message, UTF-8. */
  failed: 4,
  /** Payload: ONNX Runtime's message, UTF-8. */
  outOfMemory: 5,
} as const;
export type ReplyKind = (typeof ReplyKind)[keyof typeof ReplyKind];

/** The payload of `refused`. */
export interface OpenRefusal {
  readonly failure: 'contract' | 'load';
  readonly message: string;
}

/** One reply. `payload` is a view that the next bytes overwrite. */
export interface Reply {
  readonly kind: number;
  readonly ms: number;
  readonly payload: Uint8Array;
}

/** A buffer of at least `bytes`: the given one, or a new one half as large again, so that growing is rare. */
export function grown(buffer: ArrayBuffer, bytes: number): ArrayBuffer {
  return bytes <= buffer.byteLength ? buffer : new ArrayBuffer(Math.ceil((bytes * 1.5) / 8) * 8);
}
