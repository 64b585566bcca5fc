import { HttpJson } from './http-json.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

interface Answer {
  readonly classification?: { readonly cache?: string };
}

/** Verdict behind Envoy: JSON over HTTP/1.1, one call per text. */
export class VerdictHttpClient implements TextClient {
  readonly #http: HttpJson;
  readonly #path: string;
  readonly #options: object;

  constructor(options: ClientOptions) {
    this.#http = new HttpJson(options);
    this.#path = `/v1/models/${encodeURIComponent(options.model)}:classify`;
    this.#options = options.bypassCache ? { cache: 'CACHE_MODE_BYPASS' } : {};
  }

  async classify(text: string): Promise<AnswerSource> {
    const answer = (await this.#http.post(this.#path, { text, options: this.#options })) as Answer;
    const cache = answer.classification?.cache;
    if (cache === undefined) throw new Error('an answer without a classification');
    return cache === 'CACHE_OUTCOME_LRU' || cache === 'CACHE_OUTCOME_REDIS' ? 'cache' : 'computed';
  }

  close(): void {
    this.#http.close();
  }
}
