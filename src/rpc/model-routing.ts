import {
  DeleteAliasRequest,
  DeleteAliasResponse,
  SetAliasRequest,
  SetAliasResponse,
  SetTrafficRequest,
  SetTrafficResponse,
} from '../../generated/verdict/v1/model_service.js';
import { areShares, type Shares } from '../models/traffic.js';
import type { RoutingChanges } from '../models/types.js';
import type { ModelAccess } from './model-access.js';
import { modelMessage } from './model-message.js';
import type { AnyRoute, Route } from './route.js';
import { maxShares, type RequestLimits, smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkAlias, checkNamedModel, checkVersionNumber, refuse, type Violations } from './validation.js';

export const modelServiceName = 'verdict.v1.ModelService';

export interface RoutingRoutesParts {
  readonly routing: RoutingChanges;
  readonly access: ModelAccess;
  readonly limits: RequestLimits;
}

/** The methods of ModelService that change where requests go. */
export function routingRoutes({ routing, access, limits }: RoutingRoutesParts): AnyRoute[] {
  const service = modelServiceName;

  const setTraffic: Route<SetTrafficRequest, SetTrafficResponse> = {
    service,
    method: 'SetTraffic',
    shape: 'unary',
    requestType: SetTrafficRequest,
    responseType: SetTrafficResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model, traffic }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        const shares = sharesFrom(traffic, violations);
        refuse(violations);
        call.audit({ model, traffic: [...shares].map(([version, percent]) => `${version}=${percent}`) });
        access.check(call.identity, model);
        return { model: modelMessage(await routing.setTraffic(model, shares, call.signal), limits) };
      }),
  };

  const setAlias: Route<SetAliasRequest, SetAliasResponse> = {
    service,
    method: 'SetAlias',
    shape: 'unary',
    requestType: SetAliasRequest,
    responseType: SetAliasResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model, alias, version }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        checkAlias(alias, violations);
        checkVersionNumber(version, 'version', violations);
        refuse(violations);
        call.audit({ model, alias, version });
        access.check(call.identity, model);
        return { model: modelMessage(await routing.setAlias(model, alias, version, call.signal), limits) };
      }),
  };

  const deleteAlias: Route<DeleteAliasRequest, DeleteAliasResponse> = {
    service,
    method: 'DeleteAlias',
    shape: 'unary',
    requestType: DeleteAliasRequest,
    responseType: DeleteAliasResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model, alias }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        checkAlias(alias, violations);
        refuse(violations);
        call.audit({ model, alias });
        access.check(call.identity, model);
        return { model: modelMessage(await routing.deleteAlias(model, alias, call.signal), limits) };
      }),
  };

  return [setTraffic, setAlias, deleteAlias];
}

function sharesFrom(traffic: SetTrafficRequest['traffic'], violations: Violations): Shares {
  if (traffic.length > maxShares)
    violations.push({ field: 'traffic', description: `must have at most ${maxShares} shares` });
  const shares = new Map<string, number>();
  const before = violations.length;
  for (const [at, { version, percent }] of traffic.entries()) {
    const field = `traffic[${at}]`;
    checkVersionNumber(version, `${field}.version`, violations);
    if (percent < 1 || percent > 100)
      violations.push({ field: `${field}.percent`, description: 'must be a whole number from 1 to 100' });
    if (shares.has(version))
      violations.push({ field: `${field}.version`, description: 'must not be there twice' });
    shares.set(version, percent);
  }
  if (violations.length === before && shares.size > 0 && !areShares(shares)) {
    const sum = [...shares.values()].reduce((total, percent) => total + percent, 0);
    violations.push({ field: 'traffic', description: `must be 100 percent together, is ${sum}` });
  }
  return shares;
}
