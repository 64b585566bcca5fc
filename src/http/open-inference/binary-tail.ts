import { invalidField } from '../../errors.js';
/** The header that tells the length of the JSON in a body with binary data behind it. */
export const jsonLengthHeader = 'inference-header-content-length';

/** The binary data behind the JSON of a request, which its tensors take from one after the other. */
export class BinaryTail {
  readonly #bytes: Buffer;
  readonly #isTold: boolean;
  #at = 0;

  private constructor(bytes: Buffer, isTold: boolean) {
    this.#bytes = bytes;
    this.#isTold = isTold;
  }

  /**
   * Divides a body.
   * @param jsonLength the value of the header; undefined: all of the body is JSON
   * @throws VerdictError invalid_argument for a length that is none, or lies beyond the body
   */
  static of(
    body: Buffer,
    jsonLength: string | undefined,
  ): { readonly json: Buffer; readonly tail: BinaryTail } {
    if (jsonLength === undefined)
      return { json: body, tail: new BinaryTail(body.subarray(body.length), false) };
    if (!/^[0-9]{1,10}$/.test(jsonLength)) throw invalidField(jsonLengthHeader, 'must be a number of bytes');
    const end = Number(jsonLength);
    if (end > body.length)
      throw invalidField(jsonLengthHeader, `must be at most the ${body.length} bytes of the body`);
    return { json: body.subarray(0, end), tail: new BinaryTail(body.subarray(end), true) };
  }

  /**
   * The data of the next tensor.
   * @param field that tells its size, for errors
   * @throws VerdictError invalid_argument where there is less
   */
  take(size: number, field: string): Buffer {
    if (!this.#isTold) throw invalidField(field, `must come with the header ${jsonLengthHeader}`);
    const left = this.#bytes.length - this.#at;
    if (size > left) throw invalidField(field, `must be at most the ${left} bytes that are left of the body`);
    const from = this.#at;
    this.#at += size;
    return this.#bytes.subarray(from, this.#at);
  }

  /** @throws VerdictError invalid_argument where something is left that no tensor has taken */
  finish(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0)
      throw invalidField('body', `has ${left} bytes more than the JSON and the binary data of the inputs`);
  }
}
