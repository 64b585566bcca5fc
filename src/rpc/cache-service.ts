import { ForgetRequest, ForgetResponse } from '../../generated/verdict/v1/cache_service.js';
import type { Forgetter, Forgotten } from '../classify/types.js';
import type { ModelAccess } from './model-access.js';
import type { AnyRoute, Route } from './route.js';
import { maxInputBytes, type RequestLimits } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkModel, inputFrom, refuse, type Violations } from './validation.js';

/** Names of identities, as `src/auth/` makes them. */
const callerPattern = /^(key|jwt):[!-~]{1,128}$/;

/** The methods of CacheService. */
export function cacheRoutes(forgetter: Forgetter, access: ModelAccess, limits: RequestLimits): AnyRoute[] {
  const forget: Route<ForgetRequest, ForgetResponse> = {
    service: 'verdict.v1.CacheService',
    method: 'Forget',
    shape: 'unary',
    requestType: ForgetRequest,
    responseType: ForgetResponse,
    maxRequestBytes: maxInputBytes(limits),
    open: (call) =>
      new UnaryCall(call, ({ model, input, caller }) => {
        const violations: Violations = [];
        checkModel(model, 'model', violations);
        const checked = inputFrom(input, '', limits, violations);
        if (caller !== '' && !callerPattern.test(caller))
          violations.push({ field: 'caller', description: 'must be key:ID or jwt:SUBJECT, or be empty' });
        refuse(violations);
        call.audit({ ...(model === '' ? {} : { model }), ...(caller === '' ? {} : { caller }) });
        const { identity } = call;
        if (model !== '') access.check(identity, model);
        const mayUse = (name: string) => identity?.mayUse(name) ?? true;
        return forgetter.forget({ model, input: checked, caller, mayUse }, call.signal).then(response);
      }),
  };
  return [forget];
}

function response({ versions, fromMemory, fromRedis, othersExpireSeconds }: Forgotten): ForgetResponse {
  return {
    versions: versions.map(({ name, version, digest }) => ({ model: name, version, digest })),
    removedFromMemory: fromMemory,
    removedFromRedis: fromRedis,
    othersExpireSeconds,
  };
}
