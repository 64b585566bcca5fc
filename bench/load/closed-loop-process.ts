import { credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { ClassifierServiceClient } from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';
import { batchPass } from './batch-pass.js';
import type { LoadPass, LoadSetup } from './closed-loop.js';
import { streamPass } from './stream-pass.js';
import { unaryCall, unaryPass } from './unary-pass.js';

// A closed loop, in a process of its own so that the client's cost is not taken for the server's.

const passes = { unary: unaryPass, batch: batchPass, stream: streamPass } as const;

let client: ClassifierServiceClient | undefined;
let setup: LoadSetup | undefined;

serveParent(async (request: LoadSetup | LoadPass | { readonly input: number }) => {
  if ('address' in request) {
    client?.close();
    client = open(request);
    setup = request;
    return {};
  }
  if (client === undefined || setup === undefined) throw new Error('no address yet');
  if ('input' in request) return await unaryCall(client, setup, request.input);
  return await passes[request.mode](client, setup, request);
});

function open({ address, apiKey }: LoadSetup): ClassifierServiceClient {
  return new ClassifierServiceClient(address, credentials.createInsecure(), {
    'grpc.enable_channelz': 0,
    interceptors: apiKey === undefined ? [] : [sending(apiKey)],
  });
}

function sending(apiKey: string): Interceptor {
  return (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, listener, start) => {
        metadata.set('x-api-key', apiKey);
        start(metadata, listener);
      },
    });
}
