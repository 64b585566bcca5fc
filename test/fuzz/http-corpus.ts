import type { JsonValue } from '../support/json-value.js';
import { marked } from './marker.js';

/** A valid HTTP request. */
export interface HttpSpecimen {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON values of the body, one a line. None: there is no body. */
  readonly values: readonly JsonValue[];
}

const text = marked('the team won the match');
const pair = { text: marked('dinner'), textPair: 'is ready' };
const options = { topK: 2, minScore: 0.1, activation: 'ACTIVATION_SIGMOID', cache: 'CACHE_MODE_BYPASS' };
const streamed = [
  { id: 'a', text, settings: { defaultModel: 'topics', window: 8, defaultOptions: options } },
  { id: 'b', pair, options },
  { id: 'c', model: 'topics', version: '1', text },
];

const json = { 'content-type': 'application/json' };
const lines = { 'content-type': 'application/x-ndjson' };

const post = (path: string, value: JsonValue): HttpSpecimen => ({
  ...{ method: 'POST', path, headers: json, values: [value] },
});

const get = (path: string): HttpSpecimen => ({ method: 'GET', path, headers: {}, values: [] });

/** Requests of every kind that the HTTP port answers, in each of its protocols. */
export const httpCorpus: readonly HttpSpecimen[] = [
  post('/v1:classify', { model: 'topics', version: '1', text, options }),
  post('/v1/models/topics:classify', { pair, options }),
  post('/v1:batchClassify', { model: 'topics', inputs: [{ text }, { pair }], options }),
  post('/v1:classifyStream', streamed),
  { method: 'POST', path: '/v1:classifyStream', headers: lines, values: streamed },
  {
    ...{ method: 'POST', path: '/v1:classifyStream', values: streamed },
    headers: { ...lines, accept: 'text/event-stream' },
  },
  post('/v1:forget', { model: 'topics', pair, caller: 'key:search' }),
  post('/v1/models/topics:setTraffic', { traffic: [{ version: '1', percent: 100 }] }),
  get('/v1/models'),
  get('/v1/models/topics'),
  get('/v1/models/topics/versions/1/statistics'),
  get('/v1/models/topics/comparison?version=1'),
  post('/predict', { inputs: [[text], [text, 'is ready']], truncate: true, raw_scores: true }),
  get('/info'),
  get('/health'),
  post('/', { inputs: text, parameters: { top_k: 2, function_to_apply: 'sigmoid' } }),
  post('/models/topics', { inputs: [{ text, text_pair: 'is ready' }] }),
  post('/v1/moderations', { model: 'topics', input: [{ type: 'text', text }] }),
];

/** The bytes of a request's body. */
export function httpBodyOf({ values }: HttpSpecimen): Buffer {
  return Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'));
}
