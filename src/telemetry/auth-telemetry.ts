import type { Registry } from 'prom-client';
import type { AuthHooks, RefusalReason } from '../auth/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import type { Log } from './types.js';

const reasons = [
  'missing',
  'invalid',
  'expired',
  'revoked',
  'unverifiable',
] as const satisfies readonly RefusalReason[];

/** The keys in use, and the credentials that were refused. These have no lines of their own: strangers cause them. */
export class AuthTelemetry implements AuthHooks {
  readonly #log: Log;
  readonly #refused: Record<RefusalReason, CounterSeries>;
  readonly #reloadFailures: CounterSeries;
  #keys = 0;
  #isUnusable = false;

  constructor({ registry, log }: { registry: Registry; log: Log }) {
    this.#log = log;
    this.#refused = new CounterFamily(
      registry,
      'verdict_auth_refusals_total',
      ['reason'],
      'Credentials refused, on all ports: missing, invalid (malformed, unknown or wrong), expired, revoked during a call, or unverifiable (the keys of the issuer cannot be fetched).',
    ).byValue('reason', reasons);
    this.#reloadFailures = new CounterFamily(
      registry,
      'verdict_auth_reload_failures_total',
      [],
      'Times that the key file changed and could not be used, so that the former keys stayed.',
    ).series();
    gauge(
      registry,
      'verdict_auth_file_unusable',
      [],
      '1 while the key file cannot be used, so that the former keys stay; else 0, also without one.',
      () => [{ value: Number(this.#isUnusable) }],
    );
    gauge(
      registry,
      'verdict_auth_keys',
      [],
      'API keys in use, expired ones too. 0 without a key file.',
      () => [{ value: this.#keys }],
    );
  }

  onRefused(reason: RefusalReason): void {
    this.#refused[reason].add();
  }

  onKeysLoaded(count: number): void {
    this.#keys = count;
    this.#isUnusable = false;
    this.#log.info({ keys: count }, 'API keys loaded');
  }

  onKeysReloadFailed(trouble: string): void {
    this.#isUnusable = true;
    this.#reloadFailures.add();
    this.#log.warn({ trouble }, 'the new key file cannot be used; the former keys stay');
  }

  onKeysRestored(): void {
    this.#isUnusable = false;
    this.#log.info({}, 'the key file holds the keys in use again');
  }
}
