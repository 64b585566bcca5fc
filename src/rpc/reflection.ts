import { Code } from '../../generated/google/rpc/code.js';
import {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../../generated/grpc/reflection/v1/reflection.js';
import type { VerdictError } from '../errors.js';
import type { DescriptorIndex, IndexedFile } from './descriptor-index.js';
import type { AnyRoute, Call, CallHandler, Route } from './route.js';
import { smallRequestBytes } from './server-options.js';

type Answer = ServerReflectionResponse['messageResponse'];

/** The two versions of the service: their messages are the same on the wire. */
export const reflectionServices = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const;

/** ServerReflection over a descriptor set. `services` are the names that it lists. */
export function reflectionRoutes(index: DescriptorIndex, services: readonly string[]): AnyRoute[] {
  return reflectionServices.map((service): AnyRoute => {
    const route: Route<ServerReflectionRequest, ServerReflectionResponse> = {
      service,
      method: 'ServerReflectionInfo',
      shape: 'bidi',
      requestType: ServerReflectionRequest,
      responseType: ServerReflectionResponse,
      maxRequestBytes: smallRequestBytes,
      open: (call) => new ReflectionStream(call, index, services),
    };
    return route;
  });
}

/** One reflection call: questions are answered one at a time. */
class ReflectionStream implements CallHandler<ServerReflectionRequest> {
  readonly #call: Call<ServerReflectionResponse>;
  readonly #index: DescriptorIndex;
  readonly #services: readonly string[];
  /** Files that this stream has sent: they are not sent again as somebody's dependency. */
  readonly #sent = new Set<string>();

  constructor(call: Call<ServerReflectionResponse>, index: DescriptorIndex, services: readonly string[]) {
    this.#call = call;
    this.#index = index;
    this.#services = services;
  }

  onMessage(request: ServerReflectionRequest): void {
    const messageResponse = this.#answer(request.messageRequest);
    const response = { validHost: request.host, originalRequest: request, messageResponse };
    this.#call.send(response, this.#readNext);
  }

  onHalfClose(): void {
    this.#call.finish();
  }

  onDrain(error: VerdictError): void {
    this.#call.fail(error);
  }

  readonly #readNext = (): void => {
    this.#call.read();
  };

  #answer(request: ServerReflectionRequest['messageRequest']): Answer {
    switch (request?.$case) {
      case 'fileByFilename':
        return this.#files(this.#index.file(request.value), 'no such file');
      case 'fileContainingSymbol':
        return this.#files(this.#index.fileOfSymbol(request.value), 'no such symbol');
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = request.value;
        return this.#files(this.#index.fileOfExtension(containingType, extensionNumber), 'no such extension');
      }
      case 'allExtensionNumbersOfType': {
        const extensionNumber = this.#index.extensionNumbers(request.value);
        if (extensionNumber === undefined) return failure(Code.NOT_FOUND, 'no such message');
        return {
          $case: 'allExtensionNumbersResponse',
          value: { baseTypeName: request.value, extensionNumber },
        };
      }
      case 'listServices':
        return {
          $case: 'listServicesResponse',
          value: { service: this.#services.map((name) => ({ name })) },
        };
      default:
        return failure(Code.INVALID_ARGUMENT, 'message_request: must be set');
    }
  }

  /** The file, then what it imports, directly or not. */
  #files(file: IndexedFile | undefined, problem: string): Answer {
    if (file === undefined) return failure(Code.NOT_FOUND, problem);
    const fileDescriptorProto: Buffer[] = [];
    const queue = [file];
    this.#sent.add(file.name);
    for (const { bytes, dependencies } of queue) {
      fileDescriptorProto.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      for (const name of dependencies) {
        const dependency = this.#index.file(name);
        if (dependency === undefined || this.#sent.has(name)) continue;
        this.#sent.add(name);
        queue.push(dependency);
      }
    }
    return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
  }
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
