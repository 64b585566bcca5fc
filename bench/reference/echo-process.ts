import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { ClassifierServiceService } from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';

// A bare grpc-js server: the same messages, no work. What is left is the cost of gRPC itself.

const server = new Server({ 'grpc.enable_channelz': 0 });

const classify: handleUnaryCall<unknown, unknown> = (_call, callback) => {
  callback(null, { classification: undefined });
};

server.addService(ClassifierServiceService, {
  classify,
  batchClassify: classify,
  classifyStream: (call: {
    on: (event: string, listener: (message?: { id: string }) => void) => void;
    write: (message: unknown) => void;
    end: () => void;
  }) => {
    let index = 0;
    call.on('data', (message) => call.write({ id: message?.id ?? '', index: index++, outcome: undefined }));
    call.on('end', () => call.end());
  },
});

serveParent(
  () =>
    new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve({ port });
      });
    }),
);
