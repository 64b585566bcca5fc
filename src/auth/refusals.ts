import { VerdictError } from '../errors.js';
import type { Scope } from './scopes.js';

export function missingCredentials(): VerdictError {
  return new VerdictError(
    'unauthenticated',
    'credentials are missing: send authorization: Bearer, or x-api-key',
    { reason: 'MISSING_CREDENTIALS' },
  );
}

/** Whether they are malformed, unknown or wrong is not told. */
export function invalidCredentials(): VerdictError {
  return new VerdictError('unauthenticated', 'the credentials are not valid', {
    reason: 'INVALID_CREDENTIALS',
  });
}

export function twoCredentials(): VerdictError {
  return new VerdictError('unauthenticated', 'send authorization or x-api-key, not both', {
    reason: 'INVALID_CREDENTIALS',
  });
}

/** Told only to those who have shown them. */
export function expiredCredentials(): VerdictError {
  return new VerdictError('unauthenticated', 'the credentials have expired', {
    reason: 'EXPIRED_CREDENTIALS',
  });
}

/** Of calls under way. */
export function revokedCredentials(): VerdictError {
  return new VerdictError('unauthenticated', 'the API key was revoked', { reason: 'REVOKED_CREDENTIALS' });
}

/** The issuer's keys cannot be fetched. @param cause for the log alone */
export function unverifiableCredentials(retryAfterMs: number, cause: unknown): VerdictError {
  return new VerdictError('unavailable', 'the credentials cannot be verified at the moment', {
    reason: 'UNVERIFIABLE_CREDENTIALS',
    retryAfterMs,
    cause,
  });
}

export function missingScope(scope: Scope): VerdictError {
  return new VerdictError('permission_denied', `the scope ${scope} is missing`, { reason: 'MISSING_SCOPE' });
}

/** The same whether the model exists or not: they tell nothing of models outside their list. */
export function modelNotPermitted(): VerdictError {
  return new VerdictError(
    'permission_denied',
    'the model is not among those that these credentials may use',
    {
      reason: 'MODEL_NOT_PERMITTED',
    },
  );
}

/** Of a server that asks nobody who they are. */
export function administrationIsLocal(): VerdictError {
  return new VerdictError(
    'permission_denied',
    'without API keys or tokens only callers on the same machine may do this, over gRPC and not through a proxy: set VERDICT_API_KEYS_FILE or VERDICT_JWT_ISSUER, and use a key or token with the scope admin',
    { reason: 'ADMINISTRATION_IS_LOCAL' },
  );
}
