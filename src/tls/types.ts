/** The port on which something happened. */
export type TlsPort = 'grpc' | 'http' | 'admin';

/**
 * Why a handshake did not lead to a connection:
 * - `timeout`: it took too long.
 * - `left`: the client closed the connection, or the connection broke. Node's clients end like this if they do not trust the
 *   server's certificate.
 * - `not_tls`: what came was no TLS, or malformed.
 * - `version`: no version or cipher in common.
 * - `alpn`: the client does not offer HTTP/2.
 * - `refused`: the client refused the server's certificate, or gave up with another alert.
 * - `no_certificate`: the client sent none where one is required.
 * - `bad_certificate`: the client's is not signed by a trusted authority, not for clients, or out of date.
 * - `other`: anything else.
 */
export type HandshakeFailure =
  | 'timeout'
  | 'left'
  | 'not_tls'
  | 'version'
  | 'alpn'
  | 'refused'
  | 'no_certificate'
  | 'bad_certificate'
  | 'other';

/** What is in use. */
export interface Loaded {
  /** When the first certificate of the chain expires: milliseconds since 1970. */
  readonly expiresAt: number;
  /** SHA-256 of the server's certificate. */
  readonly fingerprint: string;
}

/** Events for telemetry. None may throw. */
export interface TlsHooks {
  onHandshakeFailed?(port: TlsPort, reason: HandshakeFailure): void;
  /** New credentials are in use; the first ones too. */
  onLoaded?(loaded: Loaded): void;
  /** The files have changed and hold nothing usable; the former credentials stay. `trouble` names file and reason. */
  onReloadFailed?(trouble: string): void;
  /** The files hold what is in use again, after a failure. */
  onRestored?(): void;
}
