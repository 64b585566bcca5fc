import type { CacheMode } from '../../generated/verdict/v1/classification.js';
import {
  type ClassifierServiceClient,
  ClassifyRequest,
} from '../../generated/verdict/v1/classifier_service.js';
import { type LoadPass, type LoadSetup, passTexts, type RawLoadResult } from './closed-loop.js';
import { LatencyLog } from './latency-log.js';

/** One call per text, so many at a time. */
export function unaryPass(
  client: ClassifierServiceClient,
  setup: LoadSetup,
  pass: LoadPass,
): Promise<RawLoadResult> {
  const { model, cache } = setup;
  const { inFlight, repeat = 1 } = pass;
  const texts = passTexts(setup, pass);
  const requests = texts.map((text) => toRequest(model, text, cache));
  const total = requests.length * repeat;
  const log = new LatencyLog(total);
  let sent = 0;
  let open = 0;
  return new Promise((resolve) => {
    const send = () => {
      const request = requests[sent % requests.length];
      if (sent >= total || request === undefined) {
        if (open === 0) resolve(log.result());
        return;
      }
      sent++;
      open++;
      const sentAt = performance.now();
      client.classify(request, (error) => {
        open--;
        log.add(sentAt, 1, error === null ? 0 : 1);
        send();
      });
    };
    for (let i = 0; i < Math.min(inFlight, total); i++) send();
  });
}

/** One call alone. */
export function unaryCall(
  client: ClassifierServiceClient,
  { model, texts, cache }: LoadSetup,
  input: number,
): Promise<{ durationMs: number }> {
  const request = toRequest(model, texts[input] ?? '', cache);
  const sentAt = performance.now();
  return new Promise((resolve, reject) => {
    client.classify(request, (error) => {
      if (error === null) resolve({ durationMs: performance.now() - sentAt });
      else reject(error);
    });
  });
}

function toRequest(model: string, value: string, cache: CacheMode): ClassifyRequest {
  return ClassifyRequest.fromPartial({ model, input: { $case: 'text', value }, options: { cache } });
}
