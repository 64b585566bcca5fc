import { ServerReflectionService } from '../../generated/grpc/reflection/v1/reflection.js';
import { HealthService } from '../../generated/health/v1/health.js';
import { ClassifierServiceService } from '../../generated/verdict/v1/classifier_service.js';
import { ModelServiceService } from '../../generated/verdict/v1/model_service.js';
import { reflectionServices } from './reflection.js';

/** A method on the port, as metrics and logs name it. */
export interface RpcMethod {
  readonly service: string;
  readonly method: string;
}

const definitions = [ClassifierServiceService, ModelServiceService, HealthService];

/** Every method that the port answers, so that its metrics exist before its first call. */
export const rpcMethods: readonly RpcMethod[] = [
  ...definitions.flatMap((definition) => Object.values(definition).map(({ path }) => split(path))),
  ...reflectionServices.map((service) => ({
    service,
    method: split(ServerReflectionService.serverReflectionInfo.path).method,
  })),
];

function split(path: string): RpcMethod {
  const [, service = '', method = ''] = path.split('/');
  return { service, method };
}
