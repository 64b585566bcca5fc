import type { Guards, Page } from '../admin/page.js';
import { missingScope } from '../auth/refusals.js';
import type { Authenticator } from '../auth/types.js';
import { VerdictError } from '../errors.js';

/** `/metrics` is for credentials with the scope. */
export function metricsGuard(authenticator: Pick<Authenticator, 'authenticate'>): Guards {
  return {
    '/metrics': async ({ authorization, 'x-api-key': apiKey }) => {
      try {
        // Several values are no key together. A proxy before this server may have judged any of them.
        const { identity } = await authenticator.authenticate({
          authorization: authorization?.join(', '),
          apiKey: apiKey?.join(', '),
        });
        return identity.has('metrics') ? undefined : refusal(missingScope('metrics'));
      } catch (error) {
        if (error instanceof VerdictError) return refusal(error);
        throw error;
      }
    },
  };
}

function refusal({ code, message }: VerdictError): Page {
  const page = { contentType: 'text/plain; charset=utf-8', body: `${message}\n` };
  if (code === 'permission_denied') return { status: 403, ...page };
  if (code === 'unavailable') return { status: 503, ...page };
  return { status: 401, ...page, headers: { 'www-authenticate': 'Bearer' } };
}
