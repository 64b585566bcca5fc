import { constants } from 'node:http2';
import type { ResetCode } from './types.js';

/** The codes of HTTP/2 that are told apart: https://www.rfc-editor.org/rfc/rfc9113#section-7 */
const classes: ReadonlyMap<number, ResetCode> = new Map([
  [constants.NGHTTP2_CANCEL, 'cancel'],
  [constants.NGHTTP2_REFUSED_STREAM, 'refused_stream'],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, 'enhance_your_calm'],
  [constants.NGHTTP2_INTERNAL_ERROR, 'internal_error'],
  [constants.NGHTTP2_PROTOCOL_ERROR, 'protocol_error'],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR, 'protocol_error'],
  [constants.NGHTTP2_STREAM_CLOSED, 'protocol_error'],
  [constants.NGHTTP2_FRAME_SIZE_ERROR, 'protocol_error'],
  [constants.NGHTTP2_COMPRESSION_ERROR, 'protocol_error'],
]);

/** The class of the code that a stream was reset with; undefined for NO_ERROR, which takes nothing back. */
export function resetCodeOf(code: number): ResetCode | undefined {
  return code === constants.NGHTTP2_NO_ERROR ? undefined : (classes.get(code) ?? 'other');
}
