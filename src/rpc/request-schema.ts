import type { DescriptorProto, FileDescriptorSet } from '../../generated/google/protobuf/descriptor.js';
import { type MessageFields, messageFields, type RepeatedLimits } from './message-fields.js';
import { openInferenceLimits } from './open-inference/repeated-limits.js';
import { maxModelNames, maxShares, type RequestLimits } from './server-options.js';

/** What the requests of all methods consist of, read from the contract itself. */
export class RequestSchema {
  readonly #messages = new Map<string, DescriptorProto>();
  /** Full names of the request messages, by `/service/method`. */
  readonly #requests = new Map<string, string>();

  constructor(set: FileDescriptorSet) {
    for (const { package: scope = '', messageType, service } of set.file) {
      for (const message of messageType) this.#add(message, scope);
      for (const { name, method } of service) {
        for (const { name: methodName, inputType = '' } of method) {
          this.#requests.set(`/${scope}.${name}/${methodName}`, inputType.slice(1));
        }
      }
    }
  }

  /**
   * What is counted in the requests of a method before they are decoded.
   * @param path `/service/method`
   * @throws Error where the contract lacks the method, or a repeated field of its request has no limit
   */
  fieldsOf(path: string, limits: RepeatedLimits): MessageFields {
    const request = this.#requests.get(path);
    if (request === undefined) throw new Error(`the descriptor set lacks the method ${path}`);
    return messageFields(request, this.#messages, limits);
  }

  #add(message: DescriptorProto, scope: string): void {
    const fullName = `${scope}.${message.name}`;
    this.#messages.set(fullName, message);
    for (const nested of message.nestedType) this.#add(nested, fullName);
  }
}

/** Texts in a pair that the scan lets pass: what is more than two is refused with a better message. */
const maxPairElements = 16;

/** How many elements each repeated field of a request may have. One that is not here stops the start. */
export function repeatedLimits({ maxBatchInputs }: RequestLimits): RepeatedLimits {
  return {
    'verdict.v1.BatchClassifyRequest.inputs': maxBatchInputs,
    'verdict.v1.ReloadModelsRequest.models': maxModelNames,
    'verdict.v1.SetTrafficRequest.traffic': maxShares,
    'tei.v1.PredictPairRequest.inputs': maxPairElements,
    ...openInferenceLimits(maxBatchInputs),
  };
}
