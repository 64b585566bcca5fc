import type { Registry } from 'prom-client';
import type { HandshakeFailure, Loaded, TlsHooks, TlsPort } from '../tls/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import type { Log } from './types.js';

const ports = ['grpc', 'http', 'admin'] as const satisfies readonly TlsPort[];
const failures = [
  'timeout',
  'left',
  'not_tls',
  'version',
  'alpn',
  'refused',
  'no_certificate',
  'bad_certificate',
  'other',
] as const satisfies readonly HandshakeFailure[];

/** What TLS is made of, and the handshakes that failed. */
export class TlsTelemetry implements TlsHooks {
  readonly #log: Log;
  readonly #failures: Readonly<Record<TlsPort, Record<HandshakeFailure, CounterSeries>>>;
  readonly #loads: CounterSeries;
  readonly #reloadFailures: CounterSeries;
  #loaded: Loaded | undefined;
  #isUnusable = false;

  constructor({ registry, log }: { registry: Registry; log: Log }) {
    this.#log = log;
    const handshakes = new CounterFamily(
      registry,
      'verdict_tls_handshake_failures_total',
      ['port', 'reason'],
      'TLS handshakes that failed, by port (grpc, http, admin) and reason: timeout, left (the client went; so do those of Node that do not trust the certificate), not_tls (or malformed), version (or no cipher in common), alpn (no HTTP/2 offered), refused (by an alert of the client, which may not trust the certificate), no_certificate (of the client), bad_certificate (of the client: untrusted or expired), other.',
    );
    const [grpc, http, admin] = ports.map((port) => handshakes.byValue('reason', failures, { port }));
    if (grpc === undefined || http === undefined || admin === undefined)
      throw new TypeError('a port has no series');
    this.#failures = { grpc, http, admin };
    this.#loads = new CounterFamily(
      registry,
      'verdict_tls_loads_total',
      [],
      'Times that certificates were loaded, the first included.',
    ).series();
    this.#reloadFailures = new CounterFamily(
      registry,
      'verdict_tls_reload_failures_total',
      [],
      'Times that the files of TLS changed and could not be used, so that the former certificates stayed.',
    ).series();
    gauge(
      registry,
      'verdict_tls_files_unusable',
      [],
      '1 while the files of TLS hold something that cannot be used, so that the former certificates stay; else 0, also without TLS.',
      () => [{ value: Number(this.#isUnusable) }],
    );
    gauge(
      registry,
      'verdict_tls_certificate_expiry_timestamp_seconds',
      ['fingerprint'],
      'When the certificate in use expires, or an intermediate one before it: seconds since 1970. The label is the SHA-256 of the certificate. Absent without TLS.',
      () =>
        this.#loaded === undefined
          ? []
          : [{ labels: { fingerprint: this.#loaded.fingerprint }, value: this.#loaded.expiresAt / 1000 }],
    );
  }

  onHandshakeFailed(port: TlsPort, reason: HandshakeFailure): void {
    this.#failures[port][reason].add();
  }

  onLoaded(loaded: Loaded): void {
    const { expiresAt, fingerprint } = loaded;
    this.#loaded = { expiresAt, fingerprint };
    this.#isUnusable = false;
    this.#loads.add();
    this.#log.info({ expires: new Date(expiresAt).toISOString(), fingerprint }, 'certificates loaded');
  }

  onReloadFailed(trouble: string): void {
    this.#isUnusable = true;
    this.#reloadFailures.add();
    this.#log.warn({ trouble }, 'new certificates cannot be used; the former ones stay');
  }

  onRestored(): void {
    this.#isUnusable = false;
    this.#log.info({}, 'the files of TLS hold the certificates in use again');
  }
}
