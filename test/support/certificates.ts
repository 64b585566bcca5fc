import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

/** What a test wants of a certificate. */
export interface CertificateWish {
  readonly name: string;
  /** `DNS:localhost`, `IP:127.0.0.1`, `URI:spiffe://test/web`. */
  readonly sans?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
}

/** A key and its certificate, both in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
};

/** Signs certificates (P-256), without a library: these few fields of X.509 are quickly written. */
export class Authority {
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name = 'test authority') {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = privateKey;
    this.cert = this.#certificate({ name }, publicKey, true);
  }

  issue(wish: CertificateWish): Pair {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      cert: this.#certificate(wish, createPublicKey(privateKey), false),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  #certificate(
    { name, sans = [], from, to }: CertificateWish,
    publicKey: KeyObject,
    isAuthority: boolean,
  ): string {
    const algorithm = sequence(oid(oids.ecdsaWithSha256));
    const extensions = [
      sequence(
        oid(oids.basicConstraints),
        boolean(true),
        octets(sequence(...(isAuthority ? [boolean(true)] : []))),
      ),
    ];
    if (sans.length > 0)
      extensions.push(sequence(oid(oids.subjectAltName), octets(sequence(...sans.map(generalName)))));
    const body = sequence(
      der(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      algorithm,
      distinguishedName(this.#name),
      sequence(time(from ?? new Date(Date.now() - dayMs)), time(to ?? new Date(Date.now() + dayMs))),
      distinguishedName(name),
      publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    );
    const whole = sequence(body, algorithm, bits(sign('sha256', body, this.#key)));
    const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  }
}

/** The SHA-256 of a certificate, as logs and Node write it. */
export function fingerprintOf(cert: string): string {
  const raw = Buffer.from(cert.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
  return (createHash('sha256').update(raw).digest('hex').toUpperCase().match(/../g) ?? []).join(':');
}

function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...contents: Uint8Array[]) => der(0x30, ...contents);
const integer = (value: Uint8Array) => der(0x02, value);
const boolean = (value: boolean) => der(0x01, Buffer.from([value ? 255 : 0]));
const octets = (value: Uint8Array) => der(0x04, value);
const bits = (value: Uint8Array) => der(0x03, Buffer.from([0]), value);
const distinguishedName = (name: string) =>
  sequence(der(0x31, sequence(oid(oids.commonName), der(0x0c, Buffer.from(name)))));
const time = (date: Date) => der(0x18, Buffer.from(date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((part) => {
    const groups = [part & 127];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function generalName(san: string): Buffer {
  const [kind, value] = [san.slice(0, san.indexOf(':')), san.slice(san.indexOf(':') + 1)];
  if (kind === 'IP') return der(0x87, Buffer.from(value.split('.').map(Number)));
  return der(kind === 'URI' ? 0x86 : 0x82, Buffer.from(value));
}
