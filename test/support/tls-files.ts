import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority, CertificateWish, Pair } from './certificates.js';
import { temporaryFolder } from './temporary-folder.js';

/** The server's certificate files in a folder, as Kubernetes mounts a secret: links into a folder that is swapped. */
export class TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
  readonly #folder: string;
  #version = 0;

  constructor(t: { after(step: () => void): unknown }, pair: Pair, clientCa = '') {
    this.#folder = temporaryFolder(t);
    for (const name of ['cert.pem', 'key.pem', 'ca.pem'])
      symlinkSync(join('..data', name), join(this.#folder, name));
    this.cert = join(this.#folder, 'cert.pem');
    this.key = join(this.#folder, 'key.pem');
    this.clientCa = join(this.#folder, 'ca.pem');
    this.swap(pair, clientCa);
  }

  /** All files at once. */
  swap({ cert, key }: Pair, clientCa = ''): void {
    const version = `..${++this.#version}`;
    mkdirSync(join(this.#folder, version));
    writeFileSync(join(this.#folder, version, 'cert.pem'), cert);
    writeFileSync(join(this.#folder, version, 'key.pem'), key);
    writeFileSync(join(this.#folder, version, 'ca.pem'), clientCa);
    symlinkSync(version, join(this.#folder, '..next'));
    renameSync(join(this.#folder, '..next'), join(this.#folder, '..data'));
  }

  /** Settings of a server that serves them, with a plain admin port. */
  get settings(): Record<string, string> {
    return { VERDICT_TLS_CERT: this.cert, VERDICT_TLS_KEY: this.key, VERDICT_ADMIN_TLS: 'off' };
  }

  get mutualSettings(): Record<string, string> {
    return { ...this.settings, VERDICT_TLS_CLIENT_CA: this.clientCa };
  }
}

/** A certificate for a server on this machine. */
export function serverPair(authority: Authority, wish: Partial<CertificateWish> = {}): Pair {
  return authority.issue({ name: 'server', sans: ['DNS:localhost', 'IP:127.0.0.1'], ...wish });
}
