import { credentials } from '@grpc/grpc-js';
import { GRPCInferenceServiceClient, ModelInferRequest } from '../../../generated/inference/grpc_service.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

/** A server that speaks the Open Inference Protocol over gRPC, one ModelInfer call per text. */
export class OipGrpcClient implements TextClient {
  readonly #client: GRPCInferenceServiceClient;
  readonly #model: string;
  readonly #input: string;

  constructor({ address, model, input }: ClientOptions & { readonly input: string }) {
    this.#client = new GRPCInferenceServiceClient(address, credentials.createInsecure());
    this.#model = model;
    this.#input = input;
  }

  classify(text: string): Promise<AnswerSource> {
    const request = ModelInferRequest.fromPartial({
      modelName: this.#model,
      inputs: [
        {
          name: this.#input,
          datatype: 'BYTES',
          shape: [1n],
          contents: { bytesContents: [Buffer.from(text)] },
        },
      ],
    });
    return new Promise((resolve, reject) => {
      this.#client.modelInfer(request, (error, response) => {
        if (error !== null) reject(error);
        else if (response.outputs.length === 0) reject(new Error('an answer without outputs'));
        else resolve('unknown');
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}
