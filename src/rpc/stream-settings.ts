import {
  type ClassifyStreamRequest,
  type StreamSettings as SettingsMessage,
  StreamOrder,
} from '../../generated/verdict/v1/classifier_service.js';
import {
  callDefaults,
  checkEnum,
  checkModel,
  type InputDefaults,
  optionsFrom,
  refuse,
  type Violations,
} from './validation.js';

/** How one stream is answered. */
export interface StreamSettings {
  readonly order: 'request' | 'completion';
  readonly sendEnd: boolean;
  /** What requests get that name no model, or carry no options. */
  readonly defaults: InputDefaults;
}

/** What a stream without settings gets. */
export const defaultSettings: StreamSettings = {
  order: 'request',
  sendEnd: false,
  defaults: callDefaults,
};

const knownOrders = 3;

/** @throws VerdictError invalid_argument that names every bad field */
export function settingsFrom(message: SettingsMessage): StreamSettings {
  const violations: Violations = [];
  checkEnum(message.order, knownOrders, 'settings.order', violations);
  checkModel(message.defaultModel, 'settings.default_model', violations);
  const options = optionsFrom(message.defaultOptions, 'settings.default_options', violations);
  refuse(violations);
  return {
    order: message.order === StreamOrder.COMPLETION ? 'completion' : 'request',
    sendEnd: message.sendEnd,
    defaults: { model: message.defaultModel, options },
  };
}

/** Whether a first message carries its settings and nothing else: it is then no request. */
export function isSettingsOnly({ id, model, version, input, options }: ClassifyStreamRequest): boolean {
  return input === undefined && options === undefined && id === '' && model === '' && version === '';
}
