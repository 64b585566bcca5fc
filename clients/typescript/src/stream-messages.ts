import {
  type ClassifyStreamRequest,
  type StreamEnd,
  StreamOrder,
  type StreamSettings,
} from '../../../generated/verdict/v1/classifier_service.js';
import { toCacheOutcome } from './from-response.js';
import type { StreamItem, StreamOptions, StreamSummary } from './stream-types.js';
import { toWireInput, toWireOptions } from './to-request.js';

export function toStreamRequest(item: string | StreamItem): ClassifyStreamRequest {
  if (typeof item === 'string') {
    return {
      id: '',
      model: '',
      version: '',
      input: toWireInput(item),
      options: undefined,
      settings: undefined,
    };
  }
  return {
    id: item.id ?? '',
    model: item.model ?? '',
    version: item.version ?? '',
    input: toWireInput(item),
    options: toWireOptions(item.options),
    settings: undefined,
  };
}

/** The first message, which carries settings alone; `undefined` where the server's defaults are wanted. */
export function toSettingsRequest(options: StreamOptions): ClassifyStreamRequest | undefined {
  const settings: StreamSettings = {
    order: options.order === 'completion' ? StreamOrder.COMPLETION : StreamOrder.UNSPECIFIED,
    sendEnd: options.sendEnd ?? false,
    defaultModel: options.defaultModel ?? '',
    defaultOptions: toWireOptions(options.defaultOptions),
  };
  const isDefault =
    settings.order === StreamOrder.UNSPECIFIED &&
    !settings.sendEnd &&
    settings.defaultModel === '' &&
    settings.defaultOptions === undefined;
  if (isDefault) return undefined;
  return { id: '', model: '', version: '', input: undefined, options: undefined, settings };
}

export function toSummary(end: StreamEnd): StreamSummary {
  return {
    classifiedCount: end.classifiedCount,
    failedCount: end.failedCount,
    cacheCounts: new Map(end.cacheCounts.map(({ outcome, count }) => [toCacheOutcome(outcome), count])),
  };
}
