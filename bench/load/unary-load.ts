import { credentials } from '@grpc/grpc-js';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import { ClassifierServiceClient, ClassifyRequest } from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';

// One unary call in flight at a time: what a single caller sees of an idle server.

interface Setup {
  readonly address: string;
  readonly model: string;
  readonly texts: readonly string[];
}

let client: ClassifierServiceClient | undefined;
let requests: ClassifyRequest[] = [];

serveParent(async (request: Setup | { readonly input: number }) => {
  if ('address' in request) {
    client = new ClassifierServiceClient(request.address, credentials.createInsecure());
    requests = request.texts.map((text) =>
      ClassifyRequest.fromPartial({
        model: request.model,
        input: { $case: 'text', value: text },
        options: { cache: CacheMode.BYPASS },
      }),
    );
    return { ok: true };
  }
  const item = requests[request.input];
  if (item === undefined) throw new Error(`no text ${request.input}`);
  const startedAt = performance.now();
  await classify(item);
  return { durationMs: performance.now() - startedAt };
});

function classify(request: ClassifyRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    if (client === undefined) throw new Error('no address yet');
    client.classify(request, (error) => (error ? reject(error) : resolve()));
  });
}
