import { serveParent } from '../child.js';
import { makeTextClient, type Target } from './clients/make-text-client.js';
import type { TextClient } from './clients/text-client.js';
import { runTextLoop } from './text-loop.js';

// The same closed loop over every server that is compared, whatever it speaks. In a process of its own, so that the
// client's cost is not taken for the server's.

interface Setup {
  readonly target: Target;
  readonly texts: readonly string[];
}

/** One pass over the texts, or over those at `order`, in that order. */
export interface TextPass {
  readonly inFlight: number;
  readonly order?: readonly number[];
}

let client: TextClient | undefined;
let texts: readonly string[] = [];

serveParent(async (request: Setup | TextPass) => {
  if ('target' in request) {
    client?.close();
    client = makeTextClient(request.target);
    texts = request.texts;
    return { ok: true };
  }
  if (client === undefined) throw new Error('no server to send to yet');
  const chosen = request.order?.map((index) => texts[index] ?? '') ?? texts;
  return await runTextLoop(client, chosen, request.inFlight);
});
