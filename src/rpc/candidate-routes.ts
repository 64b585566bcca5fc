import {
  DeleteRollbackRequest,
  DeleteRollbackResponse,
  SetRollbackRequest,
  SetRollbackResponse,
  SetShadowRequest,
  SetShadowResponse,
} from '../../generated/verdict/v1/model_service.js';
import { type RollbackLimits, rollbackBounds } from '../models/routing.js';
import { modelMessage } from './model-message.js';
import { modelServiceName, type RoutingRoutesParts } from './model-routing.js';
import type { AnyRoute, Route } from './route.js';
import { smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkNamedModel, checkVersionNumber, refuse, type Violations } from './validation.js';

const DEFAULT_OBSERVATIONS = 50;
const DEFAULT_WINDOW_SECONDS = 300;

/** The methods of ModelService that try candidates: in the shadow, and with a rule that takes their traffic away. */
export function candidateRoutes({ routing, access, limits }: RoutingRoutesParts): AnyRoute[] {
  const service = modelServiceName;

  const setShadow: Route<SetShadowRequest, SetShadowResponse> = {
    service,
    method: 'SetShadow',
    shape: 'unary',
    requestType: SetShadowRequest,
    responseType: SetShadowResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model, version, percent }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        if (percent > 0 || version !== '') checkVersionNumber(version, 'version', violations);
        if (percent > 100)
          violations.push({ field: 'percent', description: 'must be a whole number from 0 to 100' });
        refuse(violations);
        call.audit({ model, version, percent });
        access.check(call.identity, model);
        return { model: modelMessage(await routing.setShadow(model, version, percent, call.signal), limits) };
      }),
  };

  const setRollback: Route<SetRollbackRequest, SetRollbackResponse> = {
    service,
    method: 'SetRollback',
    shape: 'unary',
    requestType: SetRollbackRequest,
    responseType: SetRollbackResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async (request) => {
        const violations: Violations = [];
        checkNamedModel(request.model, violations);
        const rule = rollbackLimitsFrom(request, violations);
        refuse(violations);
        const { model } = request;
        call.audit({ model, ...auditOf(rule) });
        access.check(call.identity, model);
        return { model: modelMessage(await routing.setRollback(model, rule, call.signal), limits) };
      }),
  };

  const deleteRollback: Route<DeleteRollbackRequest, DeleteRollbackResponse> = {
    service,
    method: 'DeleteRollback',
    shape: 'unary',
    requestType: DeleteRollbackRequest,
    responseType: DeleteRollbackResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, async ({ model }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        refuse(violations);
        call.audit({ model });
        access.check(call.identity, model);
        return { model: modelMessage(await routing.deleteRollback(model, call.signal), limits) };
      }),
  };

  return [setShadow, setRollback, deleteRollback];
}

function rollbackLimitsFrom(request: SetRollbackRequest, violations: Violations): RollbackLimits {
  const { version, stableVersion: stable, maxErrorPercent, maxFlipPercent } = request;
  const { observations, windowSeconds: window } = rollbackBounds;
  const minObservations = request.minObservations || DEFAULT_OBSERVATIONS;
  const windowSeconds = request.windowSeconds || DEFAULT_WINDOW_SECONDS;
  checkVersionNumber(version, 'version', violations);
  checkVersionNumber(stable, 'stable_version', violations);
  if (version !== '' && version === stable)
    violations.push({ field: 'stable_version', description: 'must be another one than version' });
  checkLimit(maxErrorPercent, 'max_error_percent', violations);
  checkLimit(maxFlipPercent, 'max_flip_percent', violations);
  if (maxErrorPercent === undefined && maxFlipPercent === undefined)
    violations.push({
      field: 'max_error_percent',
      description: 'must be set, unless max_flip_percent is',
    });
  checkWithin(minObservations, observations, 'min_observations', violations);
  checkWithin(windowSeconds, window, 'window_seconds', violations);
  return { version, stable, maxErrorPercent, maxFlipPercent, minObservations, windowSeconds };
}

function checkLimit(percent: number | undefined, field: string, violations: Violations): void {
  const { percentBelow } = rollbackBounds;
  if (percent !== undefined && !(percent >= 0 && percent < percentBelow))
    violations.push({ field, description: `must be a number from 0 to below ${percentBelow}` });
}

function checkWithin(
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
  field: string,
  violations: Violations,
): void {
  if (value < min || value > max)
    violations.push({ field, description: `must be a whole number from ${min} to ${max}, or 0` });
}

/** What the audit says of a rule. */
function auditOf({ maxErrorPercent, maxFlipPercent, ...rest }: RollbackLimits) {
  return {
    ...rest,
    ...(maxErrorPercent === undefined ? {} : { maxErrorPercent }),
    ...(maxFlipPercent === undefined ? {} : { maxFlipPercent }),
  };
}
