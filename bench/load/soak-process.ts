import { credentials } from '@grpc/grpc-js';
import { CacheMode } from '../../generated/verdict/v1/classification.js';
import {
  ClassifierServiceClient,
  ClassifyStreamRequest,
  type ClassifyStreamResponse,
  StreamOrder,
} from '../../generated/verdict/v1/classifier_service.js';
import { serveParent } from '../child.js';
import type { SoakRun, SoakSetup } from './soak.js';

// The process behind Soak. It remembers nothing but counts: a soak answers millions of texts.

/** How many texts later a new text comes again under `churn`; odd, so that it falls on a text that is not new. */
const REPEATED_AFTER = 4_001;

let client: ClassifierServiceClient | undefined;
let setup: SoakSetup = { address: '', model: '', texts: [] };
let sent = 0;

serveParent(async (request: SoakSetup | SoakRun) => {
  if ('address' in request) {
    setup = request;
    client = new ClassifierServiceClient(request.address, credentials.createInsecure());
    return { ok: true };
  }
  return await soak(request);
});

async function soak(run: SoakRun): Promise<{ answered: number; failed: number }> {
  const endsAt = performance.now() + run.durationMs;
  const counts = { answered: 0, failed: 0 };
  await Promise.all(Array.from({ length: run.streams }, () => stream(run, endsAt, counts)));
  return counts;
}

function stream(run: SoakRun, endsAt: number, counts: { answered: number; failed: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    if (client === undefined) throw new Error('no address yet');
    const call = client.classifyStream();
    let unanswered = 0;
    const send = (): void => {
      unanswered++;
      call.write(nextRequest(run.cache));
    };
    call.on('data', (response: ClassifyStreamResponse) => {
      unanswered--;
      const inTime = performance.now() < endsAt;
      if (response.outcome?.$case !== 'classification') counts.failed++;
      else if (inTime) counts.answered++;
      if (inTime) send();
      else if (unanswered === 0) call.end();
    });
    call.on('error', reject);
    call.on('end', resolve);
    call.write(
      ClassifyStreamRequest.fromPartial({
        settings: { order: StreamOrder.COMPLETION, defaultModel: setup.model },
      }),
    );
    for (let i = 0; i < run.inFlightPerStream; i++) send();
  });
}

function nextRequest(cache: SoakRun['cache']): ClassifyStreamRequest {
  const index = sent++;
  const value = cache === 'churn' ? churningText(index) : textAt(index);
  return ClassifyStreamRequest.fromPartial({
    id: String(index),
    input: { $case: 'text', value },
    options: cache === 'bypass' ? { cache: CacheMode.BYPASS } : undefined,
  });
}

function churningText(index: number): string {
  const source = index % 2 === 0 ? index : index - REPEATED_AFTER;
  return source < 0 ? textAt(index) : `${textAt(source)} ${source}`;
}

function textAt(index: number): string {
  return setup.texts[index % setup.texts.length] ?? '';
}
