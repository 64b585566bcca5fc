import { HttpJson } from './http-json.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

interface Answer {
  readonly predictions?: readonly { readonly label?: string }[];
}

/** The FastAPI baseline: `POST /predict` with one text. It does not say whether its cache answered. */
export class FastApiClient implements TextClient {
  readonly #http: HttpJson;

  constructor(options: ClientOptions) {
    this.#http = new HttpJson(options);
  }

  async classify(text: string): Promise<AnswerSource> {
    const answer = (await this.#http.post('/predict', { text })) as Answer;
    if (typeof answer.predictions?.[0]?.label !== 'string') throw new Error('an answer without a label');
    return 'unknown';
  }

  close(): void {
    this.#http.close();
  }
}
