import { HttpJson } from './http-json.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

interface Answer {
  readonly outputs?: readonly unknown[];
}

/** A server that speaks the Open Inference Protocol over HTTP (`/v2`), one request per text. */
export class OipHttpClient implements TextClient {
  readonly #http: HttpJson;
  readonly #path: string;
  readonly #input: string;

  constructor(options: ClientOptions & { readonly input: string }) {
    this.#http = new HttpJson(options);
    this.#path = `/v2/models/${encodeURIComponent(options.model)}/infer`;
    this.#input = options.input;
  }

  async classify(text: string): Promise<AnswerSource> {
    const tensor = { name: this.#input, datatype: 'BYTES', shape: [1], data: [text] };
    const answer = (await this.#http.post(this.#path, { inputs: [tensor] })) as Answer;
    if (answer.outputs === undefined || answer.outputs.length === 0)
      throw new Error('an answer without outputs');
    return 'unknown';
  }

  close(): void {
    this.#http.close();
  }
}
