import {
  type ClassifierServiceClient,
  ClassifyStreamRequest,
  type ClassifyStreamResponse,
  StreamOrder,
  StreamSettings,
} from '../../generated/verdict/v1/classifier_service.js';
import { type LoadPass, type LoadSetup, passTexts, type RawLoadResult } from './closed-loop.js';
import { LatencyLog } from './latency-log.js';

/** What `VERDICT_STREAM_WINDOW` allows by default: more in flight take several streams. */
const STREAM_WINDOW = 64;

/** Streams in completion order; each answer makes room for the next text on its stream. */
export async function streamPass(
  client: ClassifierServiceClient,
  setup: LoadSetup,
  pass: LoadPass,
): Promise<RawLoadResult> {
  const { model, cache } = setup;
  const { inFlight, repeat = 1 } = pass;
  const texts = passTexts(setup, pass);
  const total = texts.length * repeat;
  const sentAt = new Float64Array(total);
  const log = new LatencyLog(total);
  let next = 0;
  const runStream = (window: number) =>
    new Promise<void>((resolve, reject) => {
      const stream = client.classifyStream();
      let open = 0;
      // They ride on the first text: a message of their own would be one more to answer for a server that echoes.
      let settings: StreamSettings | undefined = StreamSettings.fromPartial({
        order: StreamOrder.COMPLETION,
        defaultModel: model,
        defaultOptions: { cache },
      });
      const send = () => {
        if (next >= total) {
          if (open === 0) stream.end();
          return;
        }
        const index = next++;
        open++;
        sentAt[index] = performance.now();
        stream.write(toRequest(index, texts[index % texts.length] ?? '', settings));
        settings = undefined;
      };
      stream.on('data', ({ id, outcome }: ClassifyStreamResponse) => {
        open--;
        log.add(sentAt[Number(id)] ?? Number.NaN, 1, outcome?.$case === 'error' ? 1 : 0);
        send();
      });
      stream.on('error', reject);
      stream.on('end', resolve);
      for (let i = 0; i < window; i++) send();
    });
  const streams = Math.ceil(inFlight / STREAM_WINDOW);
  await Promise.all(Array.from({ length: streams }, () => runStream(inFlight / streams)));
  return log.result();
}

function toRequest(
  index: number,
  value: string,
  settings: StreamSettings | undefined,
): ClassifyStreamRequest {
  return ClassifyStreamRequest.fromPartial({ id: String(index), input: { $case: 'text', value }, settings });
}
