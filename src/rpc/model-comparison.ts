import {
  type VersionComparison as ComparisonMessage,
  GetModelComparisonRequest,
  GetModelComparisonResponse,
} from '../../generated/verdict/v1/model_service.js';
import type { ComparisonCatalog, VersionComparison } from '../comparison/types.js';
import type { ModelAccess } from './model-access.js';
import { modelServiceName } from './model-routing.js';
import type { AnyRoute, Route } from './route.js';
import { smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkNamedModel, checkVersionNumber, refuse, type Violations } from './validation.js';

/** The method of ModelService that says how the answers of versions differ. */
export function comparisonRoutes(comparisons: ComparisonCatalog, access: ModelAccess): AnyRoute[] {
  const getModelComparison: Route<GetModelComparisonRequest, GetModelComparisonResponse> = {
    service: modelServiceName,
    method: 'GetModelComparison',
    shape: 'unary',
    requestType: GetModelComparisonRequest,
    responseType: GetModelComparisonResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, ({ model, version }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        if (version !== '') checkVersionNumber(version, 'version', violations);
        refuse(violations);
        call.audit({ model, ...(version === '' ? {} : { version }) });
        access.check(call.identity, model);
        return { comparisons: comparisons.compare(model, version).map(comparisonMessage) };
      }),
  };
  return [getModelComparison];
}

function comparisonMessage(comparison: VersionComparison): ComparisonMessage {
  const { candidate, since, candidateMedianMs, labels, flippedLabels } = comparison;
  return {
    version: comparison.version,
    candidateVersion: candidate,
    since: new Date(since),
    notComparable: comparison.notComparable,
    compared: count(comparison.compared),
    failed: count(comparison.failed),
    dropped: count(comparison.dropped),
    flips: count(comparison.flips),
    meanShift: comparison.meanShift,
    largestShift: comparison.largestShift,
    medianMs: comparison.medianMs,
    candidateMedianMs,
    labels: labels.map((label) => ({
      ...label,
      held: count(label.held),
      candidateHeld: count(label.candidateHeld),
      flippedFrom: count(label.flippedFrom),
      flippedTo: count(label.flippedTo),
    })),
    labelsLeftOut: comparison.labelsLeftOut,
    labelsUnshared: comparison.labelsUnshared,
    flippedLabels: flippedLabels.map((flipped) => ({ ...flipped, count: count(flipped.count) })),
    flipsLeftOut: count(comparison.flipsLeftOut),
  };
}

/** A count as the contract holds it: one beyond 32 bits stays at their end. */
function count(value: number): number {
  return Math.min(value, 2 ** 32 - 1);
}
