import { credentials } from '@grpc/grpc-js';
import { ModelServiceClient, type ModelVersion } from '../generated/verdict/v1/model_service.js';

/**
 * What a server says of the first version of a model.
 *
 * @throws Error where it does not serve the model
 */
export function servedVersion(address: string, model: string): Promise<ModelVersion> {
  const client = new ModelServiceClient(address, credentials.createInsecure());
  return new Promise<ModelVersion>((resolve, reject) => {
    client.getModel({ model }, (error, response) => {
      const version = response?.model?.versions[0];
      if (version === undefined) reject(error ?? new Error(`no version of ${model} is served`));
      else resolve(version);
    });
  }).finally(() => client.close());
}
