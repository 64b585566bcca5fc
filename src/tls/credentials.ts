import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { certificatesIn } from './pem.js';

/** One thing for each file that TLS reads. `clientCa` only where clients show certificates. */
export interface ForEachFile<T> {
  readonly cert: T;
  readonly key: T;
  readonly clientCa: T | undefined;
}

export type TlsFile = keyof ForEachFile<unknown>;

/** What the server shows to clients and checks theirs with: files that fit together. */
export interface Credentials extends ForEachFile<string> {
  /** When the first of the certificates in the file expires: milliseconds since 1970. */
  readonly expiresAt: number;
  /** SHA-256 of the server's certificate. */
  readonly fingerprint: string;
}

/** A file that is of no use. `trouble` is the end of a sentence that begins with "it"; it quotes nothing. */
export interface FileTrouble {
  readonly file: TlsFile;
  readonly trouble: string;
}

/** Makes credentials of the files' contents, or says what is wrong with each. */
export function readCredentials(
  pem: ForEachFile<string>,
  now: number,
): Credentials | { readonly troubles: readonly FileTrouble[] } {
  const chain = certificatesIn(pem.cert);
  const key = privateKeyIn(pem.key);
  const authorities = pem.clientCa === undefined ? undefined : certificatesIn(pem.clientCa);
  const troubles: FileTrouble[] = [];
  if ('trouble' in chain) troubles.push({ file: 'cert', trouble: chain.trouble });
  if ('trouble' in key) troubles.push({ file: 'key', trouble: key.trouble });
  if (authorities !== undefined && 'trouble' in authorities)
    troubles.push({ file: 'clientCa', trouble: authorities.trouble });
  if ('trouble' in chain || 'trouble' in key || troubles.length > 0) return { troubles };
  const [leaf] = chain.certificates as readonly [X509Certificate];
  const trouble = pairTrouble(leaf, key.key, chain.certificates, now);
  if (trouble !== undefined) return { troubles: [trouble] };
  const refusal = contextTrouble(pem);
  if (refusal !== undefined) return { troubles: [{ file: 'cert', trouble: refusal }] };
  const expiresAt = Math.min(...chain.certificates.map(({ validTo }) => Date.parse(validTo)));
  return { ...pem, expiresAt, fingerprint: leaf.fingerprint256 };
}

function privateKeyIn(pem: string): { readonly key: KeyObject } | { readonly trouble: string } {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    return { trouble: 'holds no private key in PEM (-----BEGIN PRIVATE KEY-----)' };
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem))
    return { trouble: 'holds a key that is locked with a passphrase' };
  try {
    return { key: createPrivateKey(pem) };
  } catch {
    return { trouble: 'holds a private key that cannot be read' };
  }
}

/** The order matters: a file that was swapped alone is told from one that is out of date. */
function pairTrouble(
  leaf: X509Certificate,
  key: KeyObject,
  chain: readonly X509Certificate[],
  now: number,
): FileTrouble | undefined {
  if (!leaf.checkPrivateKey(key)) return { file: 'key', trouble: 'does not belong to the certificate' };
  for (const { validFrom, validTo } of chain) {
    if (Date.parse(validTo) <= now)
      return { file: 'cert', trouble: `holds a certificate that expired on ${isoOf(validTo)}` };
    if (Date.parse(validFrom) > now)
      return { file: 'cert', trouble: `holds a certificate that is not valid before ${isoOf(validFrom)}` };
  }
  return undefined;
}

function isoOf(date: string): string {
  return new Date(date).toISOString();
}

/** OpenSSL refuses what is too weak for its security level, such as RSA keys of 1,024 bits. */
function contextTrouble({ cert, key, clientCa }: ForEachFile<string>): string | undefined {
  try {
    createSecureContext({ cert, key, ca: clientCa });
    return undefined;
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : '';
    return `is refused by OpenSSL${reason === '' ? '' : `: ${reason}`}`;
  }
}
