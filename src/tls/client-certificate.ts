import type { TLSSocket } from 'node:tls';

/** Who a client is by its certificate, which one of the trusted authorities has signed. */
export interface TlsIdentity {
  /** Its subject alternative names of the kinds URI and DNS, as in `URI:spiffe://example.org/web`, `DNS:web.example.org`. */
  readonly sans: readonly string[];
}

/** A kind, then a value: as it is, or as a JSON string where it holds commas, quotes or control characters. */
const NAME = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy;

/** The names of the certificate that the client has shown; undefined where it has shown none that is trusted. */
export function identityOf(socket: TLSSocket): TlsIdentity | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : { sans: sansIn(certificate.subjectAltName ?? '') };
}

/** @param names as Node writes them: `DNS:a.example, URI:spiffe://b` */
export function sansIn(names: string): string[] {
  return [...names.matchAll(NAME)].flatMap(([, kind, value = '']) => {
    if (kind !== 'URI' && kind !== 'DNS') return [];
    return [`${kind}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`];
  });
}
