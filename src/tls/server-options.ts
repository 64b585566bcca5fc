import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Credentials } from './credentials.js';

/**
 * What every context is made of, the first as well as those after a reload. Tickets are off: a connection that resumes
 * a session is not checked anew, so a client whose authority was taken out of the file would come in until its ticket
 * expires. gRPC connections live for half an hour; a full handshake for each costs next to nothing.
 */
export function contextOptions({ cert, key, clientCa }: Credentials): SecureContextOptions {
  return {
    cert,
    key,
    ca: clientCa,
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Whether clients have to show a certificate, or may. Without authorities they are not asked. */
export type ClientAuth = 'require' | 'request';

/** @param refuses whether a handshake without a good certificate of the client ends there */
export function serverOptions(credentials: Credentials, refuses: boolean): TlsOptions {
  return {
    ...contextOptions(credentials),
    requestCert: credentials.clientCa !== undefined,
    rejectUnauthorized: credentials.clientCa !== undefined && refuses,
  };
}
