export const envoyTimeoutKey = 'x-envoy-expected-rq-timeout-ms';

/**
 * How long a call may take whose caller set no deadline, in milliseconds: the default, or what Envoy's route allows
 * where that is shorter. What is not a whole number above 0 in Envoy's header counts as absent.
 */
export function ownTimeoutMs(envoysHeader: string | undefined, defaultMs: number): number {
  const envoys = Number(envoysHeader);
  return Number.isSafeInteger(envoys) && envoys > 0 ? Math.min(envoys, defaultMs) : defaultMs;
}
