import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ClientDuplexStream, credentials, status } from '@grpc/grpc-js';
import {
  InfoClient,
  PredictClient,
  PredictPairRequest,
  PredictRequest,
  type PredictResponse,
  TruncationDirection,
} from '../../generated/tei/v1/tei.js';
import { repositoryRoot } from '../support/repository.js';
import { Service } from '../support/service.js';
import { unaryOutcome } from '../support/unary-outcome.js';

/** What text-embeddings-inference answered for a model of two labels, with texts written as `"word " x 700`. */
interface Recorded {
  readonly name: string;
  readonly method: string;
  readonly request: unknown;
  readonly response?: Readonly<Record<string, unknown>> & {
    readonly predictions?: readonly { label: string }[];
  };
  readonly responses?: readonly unknown[];
  readonly status?: { readonly code: number };
}

interface Fields {
  readonly inputs: string | readonly string[];
  readonly truncate?: boolean;
  readonly raw_scores?: boolean;
  readonly truncation_direction?: string;
}

const recorded: readonly Recorded[] = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/fixtures/peers/tei-recorded.json'), 'utf8'),
);

function recordedOf(name: string): Recorded {
  const found = recorded.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

const written = (text: string) => (text === '"word " x 700' ? 'word '.repeat(700) : text);

const optionsOf = ({
  truncate = false,
  raw_scores: rawScores = false,
  truncation_direction: side,
}: Fields) => ({
  truncate,
  rawScores,
  truncationDirection:
    side === 'TRUNCATION_DIRECTION_LEFT' ? TruncationDirection.LEFT : TruncationDirection.RIGHT,
});

const oneText = (fields: Fields) =>
  PredictRequest.fromPartial({ inputs: written(String(fields.inputs)), ...optionsOf(fields) });

/** Responses until the end of a stream, and its status code. */
async function streamed<Req>(
  call: ClientDuplexStream<Req, PredictResponse>,
  requests: readonly Req[],
): Promise<{
  readonly responses: readonly PredictResponse[];
  readonly code: number;
  readonly details: string;
}> {
  const responses: PredictResponse[] = [];
  call.on('error', () => undefined);
  call.on('data', (response: PredictResponse) => responses.push(response));
  const ended = new Promise<{ code: number; details: string }>((resolve) => call.on('status', resolve));
  for (const request of requests) call.write(request);
  call.end();
  return { ...(await ended), responses };
}

describe("text-embeddings-inference's interface", () => {
  let service: Service;
  let predict: PredictClient;
  let info: InfoClient;

  before(async () => {
    service = await Service.start(['sentiment']);
    predict = new PredictClient(service.server.address, credentials.createInsecure());
    info = new InfoClient(service.server.address, credentials.createInsecure());
  });

  after(async () => {
    predict.close();
    info.close();
    await service.stop();
  });

  const ask = (method: string, fields: Fields) => {
    if (method === 'Predict.Predict') return unaryOutcome(predict.predict.bind(predict), oneText(fields));
    const request = PredictPairRequest.fromPartial({ inputs: [fields.inputs].flat(), ...optionsOf(fields) });
    return unaryOutcome(predict.predictPair.bind(predict), request);
  };

  for (const { name, method, request, response, status: refused } of recorded.filter(({ method: of }) =>
    ['Predict.Predict', 'Predict.PredictPair'].includes(of),
  )) {
    // A text of white space is refused here, as everywhere in this server.
    const isBlank = name === 'blank text';
    it(`answers "${name}" ${isBlank ? 'otherwise' : 'alike'}`, async () => {
      const fields = request as Fields;
      const { error, response: own } = await ask(method, fields);
      assert.equal(
        error?.code ?? status.OK,
        isBlank ? status.INVALID_ARGUMENT : (refused?.code ?? status.OK),
      );
      if (response === undefined || isBlank) return;
      const { compute_chars: chars } = response.metadata as { readonly compute_chars: number };
      assert.equal(own?.metadata?.computeChars, chars);
      assert.deepEqual(
        own?.predictions.map(({ label }) => label).sort(),
        response.predictions?.map(({ label }) => label).sort(),
      );
      const [best, worst] = own?.predictions.map(({ score }) => score) ?? [];
      assert.ok(best !== undefined && worst !== undefined && best >= worst);
      if (fields.raw_scores !== true) assert.ok(Math.abs(best + worst - 1) < 1e-6);
    });
  }

  it('tells of itself in the same fields', async () => {
    const theirs = recorded.find(({ method }) => method === 'Info.Info')?.response ?? {};
    const { response } = await unaryOutcome(info.info.bind(info), {});
    assert.equal(theirs.model_type, 'MODEL_TYPE_CLASSIFIER');
    assert.deepEqual([response?.modelId, response?.modelType], ['sentiment', 1]);
    assert.ok((response?.maxInputLength ?? 0) > 0);
    assert.match(response?.modelSha ?? '', /^sha256:/);
  });

  it('answers a stream in its order', async () => {
    const requests = (recordedOf('a stream').request as readonly Fields[]).map(oneText);
    const { responses, code } = await streamed(predict.predictStream(), requests);
    assert.equal(code, status.OK);
    const chars = responses.map(({ metadata }) => metadata?.computeChars);
    assert.deepEqual(chars, [15, 25]);
  });

  it('ends a stream at the first text that fails, after the answers to those before it', async () => {
    const theirs = recordedOf('a stream with an empty text in the middle');
    const requests = (theirs.request as readonly Fields[]).map(oneText);
    const { responses, code, details } = await streamed(predict.predictStream(), requests);
    assert.deepEqual([code, details], [theirs.status?.code, 'inputs: must not be empty']);
    assert.equal(responses.length, 1);
  });

  it('takes pairs and single texts in the stream of pairs', async () => {
    const requests = [['a film', 'a gripping film'], ['a film']].map((inputs) =>
      PredictPairRequest.fromPartial({ inputs }),
    );
    const { responses, code } = await streamed(predict.predictPairStream(), requests);
    assert.equal(code, status.OK);
    assert.deepEqual(
      responses.map(({ metadata }) => metadata?.computeChars),
      [21, 6],
    );
  });

  it('gives the scores of Classify, and counts characters and not UTF-16 units', async () => {
    const { response } = await ask('Predict.Predict', { inputs: 'naïve 😀' });
    const own = await service.client.classify('naïve 😀', { topK: 0 });
    assert.deepEqual(
      response?.predictions,
      own.predictions.map(({ label, score }) => ({ label, score: Math.fround(score) })),
    );
    assert.deepEqual(
      [response?.metadata?.computeChars, response?.metadata?.computeTokens],
      [7, own.tokenCount],
    );
  });
});
