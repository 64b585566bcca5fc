import type { TLSSocket } from 'node:tls';
import type { HandshakeFailure } from './types.js';

/** What OpenSSL and Node call failures, as far as they tell operators apart. */
const REASONS: readonly (readonly [RegExp, HandshakeFailure])[] = [
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'timeout'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'no_certificate'],
  [/NO_APPLICATION_PROTOCOL/, 'alpn'],
  [/UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|VERSION_TOO_LOW|WRONG_SSL_VERSION|NO_SUITABLE/, 'version'],
  // The client's own alerts.
  [/ALERT/, 'refused'],
  [/HTTP_REQUEST|HTTPS_PROXY_REQUEST|WRONG_VERSION_NUMBER|BAD_RECORD_TYPE|PACKET_LENGTH_TOO_LONG/, 'not_tls'],
  [
    /RECORD_LAYER_FAILURE|RECORD_TOO_SMALL|UNEXPECTED_MESSAGE|BAD_PROTOCOL|UNKNOWN_PROTOCOL|LENGTH/,
    'not_tls',
  ],
  [/^ECONNRESET$|^EPIPE$|UNEXPECTED_EOF/, 'left'],
];

/** Sorts what a TLS server says about a client that it could not connect with. */
export function failureOf(error: Error, socket: TLSSocket): HandshakeFailure {
  // Node destroys such a socket without a word: what it says then is that the connection was reset.
  if (socket.authorizationError) return 'bad_certificate';
  const code = 'code' in error ? String(error.code) : '';
  return REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
}
