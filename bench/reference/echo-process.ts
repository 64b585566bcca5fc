import { type handleUnaryCall, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { CacheOutcome, type Classification } from '../../generated/verdict/v1/classification.js';
import {
  ClassifierServiceService,
  type ClassifyRequest,
  type ClassifyResponse,
  type ClassifyStreamRequest,
  type ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';

// A bare grpc-js server: the same messages, no work. It sends each text back, as the label of one prediction, so that
// it decodes and encodes what an echo has to. What is left is the cost of gRPC itself.

const server = new Server({ 'grpc.enable_channelz': 0 });

const classify: handleUnaryCall<ClassifyRequest, ClassifyResponse> = ({ request }, callback) => {
  callback(null, { classification: echoed(request) });
};

server.addService(ClassifierServiceService, {
  classify,
  batchClassify: (_call: unknown, callback: (error: null, response: object) => void) => {
    callback(null, { results: [] });
  },
  classifyStream: (call: ServerDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>) => {
    let index = 0;
    call.on('data', (request: ClassifyStreamRequest) => {
      const outcome = { $case: 'classification' as const, value: echoed(request) };
      call.write({ id: request.id, index: index++, outcome });
    });
    call.on('end', () => call.end());
  },
});

function echoed({ input }: Pick<ClassifyRequest, 'input'>): Classification {
  const text = input?.$case === 'text' ? input.value : '';
  return {
    predictions: [{ label: text, score: 0, index: 0 }],
    model: '',
    version: '',
    alias: '',
    tokenCount: 0,
    truncated: false,
    cache: CacheOutcome.UNSPECIFIED,
    timings: undefined,
  };
}

serveParent(
  () =>
    new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve({ port });
      });
    }),
);
