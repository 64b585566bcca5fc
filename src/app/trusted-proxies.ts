import type { Config } from '../config.js';

/** The addresses and networks of the proxies that callers come through. */
export function trustedProxiesIn({ trustedProxies }: Pick<Config['server'], 'trustedProxies'>): string[] {
  return trustedProxies?.split(',').map((network) => network.trim()) ?? [];
}
