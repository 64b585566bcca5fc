import type { ProtocolBreach } from './types.js';

/** Error codes of nghttp2: https://nghttp2.org/documentation/enums.html */
const badClientMagic = -903;
const flooded = -904;

/** How a client broke HTTP/2, by the error that its session ended with; undefined where it only left. */
export function breachOf(error: Error): ProtocolBreach | undefined {
  const { code, errno } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ERR_HTTP2_SESSION_ERROR':
      return 'goaway';
    case 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES':
      return 'flood';
    case 'ERR_HTTP2_ERROR':
      if (errno === badClientMagic) return 'not_http2';
      return errno === flooded ? 'flood' : 'frame';
    default:
      return code?.startsWith('ERR_HTTP2_') ? 'frame' : undefined;
  }
}
