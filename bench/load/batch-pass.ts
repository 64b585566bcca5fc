import {
  BatchClassifyRequest,
  type ClassifierServiceClient,
} from '../../generated/verdict/v1/classifier_service.js';
import { type LoadPass, type LoadSetup, passTexts, type RawLoadResult } from './closed-loop.js';
import { LatencyLog } from './latency-log.js';

/** What `VERDICT_MAX_BATCH_INPUTS` allows by default. */
const MAX_BATCH = 32;

/** Calls of up to 32 texts each; with fewer texts in flight, one call of them all. */
export function batchPass(
  client: ClassifierServiceClient,
  setup: LoadSetup,
  pass: LoadPass,
): Promise<RawLoadResult> {
  const { model, cache } = setup;
  const { inFlight, repeat = 1 } = pass;
  const texts = passTexts(setup, pass);
  const size = Math.min(inFlight, MAX_BATCH);
  const requests = chunks(texts, size).map((chunk) =>
    BatchClassifyRequest.fromPartial({
      model,
      inputs: chunk.map((text) => ({ input: { $case: 'text', value: text } })),
      options: { cache },
    }),
  );
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
      const { length } = request.inputs;
      client.batchClassify(request, (error, response) => {
        open--;
        const failed =
          error === null
            ? response.results.filter(({ outcome }) => outcome?.$case === 'error').length
            : length;
        log.add(sentAt, length, failed);
        send();
      });
    };
    for (let i = 0; i < Math.min(Math.floor(inFlight / size), total); i++) send();
  });
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
