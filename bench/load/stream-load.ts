import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import {
  ClassifierServiceClient,
  ClassifyStreamRequest,
  type ClassifyStreamResponse,
  StreamOrder,
} from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';

// A closed loop over ClassifyStream: each answer makes room for the next text. Runs in a process of its own, so that
// the client's cost is not taken for the server's.

interface Setup {
  readonly address: string;
  readonly model: string;
  readonly texts: readonly string[];
}

/** One pass over the texts, spread over the streams. */
export interface StreamPass {
  readonly streams: number;
  readonly inFlightPerStream: number;
  readonly bypassCache: boolean;
}

export interface StreamPassResult {
  readonly elapsedMs: number;
  readonly answered: number;
  readonly failed: number;
  readonly latenciesMs: number[];
}

let client: ClassifierServiceClient | undefined;
let setup: Setup = { address: '', model: '', texts: [] };

serveParent(async (request: Setup | StreamPass) => {
  if ('address' in request) {
    setup = request;
    client = new ClassifierServiceClient(request.address, credentials.createInsecure());
    return { ok: true };
  }
  return await pass(request);
});

async function pass({ streams, inFlightPerStream, bypassCache }: StreamPass): Promise<StreamPassResult> {
  const latenciesMs: number[] = [];
  let next = 0;
  let failed = 0;
  const runStream = () =>
    new Promise<void>((resolve, reject) => {
      const stream = openStream();
      const sentAt = new Map<string, number>();
      const send = () => {
        const index = next++;
        if (index >= setup.texts.length) {
          if (sentAt.size === 0) stream.end();
          return;
        }
        sentAt.set(String(index), performance.now());
        stream.write(toRequest(index, setup.texts[index] ?? '', bypassCache));
      };
      stream.on('data', (response: ClassifyStreamResponse) => {
        latenciesMs.push(performance.now() - (sentAt.get(response.id) ?? Number.NaN));
        sentAt.delete(response.id);
        if (response.outcome?.$case !== 'classification') failed++;
        send();
      });
      stream.on('error', reject);
      stream.on('end', resolve);
      stream.write(
        ClassifyStreamRequest.fromPartial({
          settings: { order: StreamOrder.COMPLETION, defaultModel: setup.model },
        }),
      );
      for (let i = 0; i < inFlightPerStream; i++) send();
    });
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: streams }, runStream));
  return { elapsedMs: performance.now() - startedAt, answered: latenciesMs.length, failed, latenciesMs };
}

function openStream(): ClientDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse> {
  if (client === undefined) throw new Error('no address yet');
  return client.classifyStream();
}

function toRequest(index: number, text: string, bypassCache: boolean): ClassifyStreamRequest {
  return ClassifyStreamRequest.fromPartial({
    id: String(index),
    input: { $case: 'text', value: text },
    options: bypassCache ? { cache: CacheMode.BYPASS } : undefined,
  });
}
