import {
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  fromJson,
  getExtension,
  hasExtension,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { invalidField, VerdictError } from '../errors.js';
import { fieldWithUnknownEnum } from './enum-names.js';

/** Where a method answers over HTTP, as its `google.api.http` says. */
export interface Binding {
  readonly method: ContractMethod;
  readonly verb: 'GET' | 'POST';
  /** `/v1/models/{model}:classify`. */
  readonly template: string;
  /** Whether the body is the request. */
  readonly hasBody: boolean;
}

/** The message that a rule is; of google.api, which has no types here. */
interface HttpRule {
  readonly get?: string;
  readonly post?: string;
  readonly body?: string;
  readonly additionalBindings?: readonly HttpRule[];
}

const annotation = 'google.api.http';
const ruleType = 'google.api.HttpRule';
const statusType = 'google.rpc.Status';

/** Which field of a message is wrong, by what the library says of it. Its own words quote the value. */
const faultyField = /^cannot decode (?:field|oneof) [\w.]*?(\w+) from JSON/;

/** One method: its messages as protobuf's JSON mapping writes them, and as gRPC carries them. */
export class ContractMethod {
  /** `/verdict.v1.ClassifierService/Classify`. */
  readonly path: string;
  readonly isStream: boolean;
  readonly request: DescMessage;
  readonly #response: DescMessage;
  readonly #registry: FileRegistry;

  constructor(method: DescMethod, registry: FileRegistry) {
    this.path = `/${method.parent.typeName}/${method.name}`;
    this.isStream = method.methodKind !== 'unary';
    this.request = method.input;
    this.#response = method.output;
    this.#registry = registry;
  }

  /**
   * Unknown fields are left out, as Envoy leaves them out.
   * @throws VerdictError invalid_argument that names the field, and quotes nothing
   */
  encode(request: JsonValue): Buffer {
    const field = fieldWithUnknownEnum(this.request, request);
    if (field !== undefined) throw invalidField(field, 'must be the name of a value that the contract has');
    try {
      const message = fromJson(this.request, request, {
        ignoreUnknownFields: true,
        registry: this.#registry,
      });
      return Buffer.from(toBinary(this.request, message));
    } catch (error) {
      throw malformedRequest(error instanceof Error ? error.message : '');
    }
  }

  /** The answer, with what is zero or empty as well. */
  decode(bytes: Uint8Array): JsonObject {
    return printed(this.#response, bytes, this.#registry);
  }
}

/** The contract, read from its descriptor set: the methods, their paths over HTTP, and the JSON of their messages. */
export class Contract {
  readonly bindings: readonly Binding[];
  readonly #methods = new Map<string, ContractMethod>();
  readonly #registry: FileRegistry;
  readonly #status: DescMessage;

  /** @throws Error where the descriptor set lacks the annotations, or one has a form that is not read here */
  constructor(descriptorSet: Uint8Array) {
    this.#registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    this.#status = messageOf(this.#registry, statusType);
    const bindings: Binding[] = [];
    for (const service of this.#registry) {
      if (service.kind !== 'service') continue;
      for (const found of service.methods) {
        const method = new ContractMethod(found, this.#registry);
        this.#methods.set(method.path, method);
        for (const rule of this.#rulesOf(found)) bindings.push(bindingOf(method, rule));
      }
    }
    this.bindings = bindings;
  }

  /** @throws Error where the contract lacks it */
  method(path: string): ContractMethod {
    const method = this.#methods.get(path);
    if (method === undefined) throw new Error(`the contract lacks the method ${path}`);
    return method;
  }

  /** A google.rpc.Status, with its details. */
  status(bytes: Uint8Array): JsonObject {
    return printed(this.#status, bytes, this.#registry);
  }

  #rulesOf({ proto }: DescMethod): readonly HttpRule[] {
    const extension = this.#registry.getExtension(annotation);
    if (extension === undefined || proto.options === undefined || !hasExtension(proto.options, extension))
      return [];
    const message = messageOf(this.#registry, ruleType);
    const rule = fromBinary(message, toBinary(message, getExtension(proto.options, extension) as never));
    const { additionalBindings = [], ...first } = toJson(message, rule) as HttpRule;
    return [first, ...additionalBindings];
  }
}

function bindingOf(method: ContractMethod, { get, post, body = '' }: HttpRule): Binding {
  const template = get ?? post;
  if (template === undefined || (body !== '' && body !== '*'))
    throw new Error(
      `the HTTP rule of ${method.path} is neither a GET nor a POST with all fields in its body`,
    );
  return { method, verb: get === undefined ? 'POST' : 'GET', template, hasBody: body === '*' };
}

function messageOf(registry: FileRegistry, name: string): DescMessage {
  const message = registry.getMessage(name);
  if (message === undefined) throw new Error(`the descriptor set lacks the message ${name}`);
  return message;
}

function printed(type: DescMessage, bytes: Uint8Array, registry: FileRegistry): JsonObject {
  const json = toJson(type, fromBinary(type, bytes), { alwaysEmitImplicit: true, registry });
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`${type.typeName} is no object in JSON`);
  return json;
}

function malformedRequest(said: string): VerdictError {
  const field = faultyField.exec(said)?.[1];
  if (field !== undefined) return invalidField(field, 'must be what the contract has there');
  return new VerdictError('invalid_argument', 'the body is not what the contract asks for', {
    reason: 'MALFORMED_MESSAGE',
  });
}
