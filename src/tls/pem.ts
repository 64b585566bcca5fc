import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates in a PEM file, or why they are of no use, as the end of a sentence that begins with "it". */
export function certificatesIn(
  pem: string,
): { readonly certificates: readonly X509Certificate[] } | { readonly trouble: string } {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return { trouble: 'holds no certificate in PEM (-----BEGIN CERTIFICATE-----)' };
  const certificates = blocks.map(parsed);
  const bad = certificates.indexOf(undefined);
  if (bad !== -1) return { trouble: `holds a certificate, number ${bad + 1}, that cannot be read` };
  return { certificates: certificates.filter((certificate) => certificate !== undefined) };
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem);
    return certificate.subject === undefined ? undefined : certificate;
  } catch {
    return undefined;
  }
}
