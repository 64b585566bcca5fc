import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonValue } from '@bufbuild/protobuf';
import type { CallEnd, DirectCaller, OpenedCall } from '../rpc/direct-caller.js';
import { asVerdictError } from '../rpc/status.js';
import { httpCodeOf, reasonIn, refusalHeaders, sendBody } from './answers.js';
import type { Contract, ContractMethod } from './contract.js';
import { ArraySource, LineSource, type MessageSink, type MessageSource } from './message-source.js';
import { RequestBody, tooLarge } from './request-body.js';
import type { ExchangeParts } from './unary-exchange.js';

/** How the answers of a stream stand in its body. */
interface Form {
  readonly contentType: string;
  readonly before: string;
  readonly between: string;
  /** Around each answer. */
  readonly prefix: string;
  readonly suffix: string;
  readonly after: string;
}

const lines: Form = {
  ...{ contentType: 'application/x-ndjson', before: '', between: '', after: '' },
  ...{ prefix: '', suffix: '\n' },
};
const events: Form = { ...lines, contentType: 'text/event-stream', prefix: 'data: ', suffix: '\n\n' };
const array: Form = {
  ...{ contentType: 'application/json', before: '[', between: ',', after: ']' },
  ...{ prefix: '', suffix: '' },
};

const ndjson = /application\/(x-)?ndjson/;

function formOf(accept: string): Form {
  if (accept.includes('text/event-stream')) return events;
  return ndjson.test(accept) ? lines : array;
}

/** A line may have so many times the bytes of its message: JSON writes a character of three bytes in six. */
const jsonShare = 2;

/**
 * One HTTP request that is one stream. A JSON array is read whole before the first answer, since most clients read nothing until
 * they have sent everything; lines are read as the stream asks for them, and the caller has to read while it writes.
 */
export class StreamExchange implements DirectCaller {
  readonly #body: RequestBody;
  readonly #response: ServerResponse;
  readonly #contract: Contract;
  readonly #method: ContractMethod;
  readonly #form: Form;
  readonly #call: OpenedCall;
  readonly #source: MessageSource;

  private constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { calls, contract, bodies }: ExchangeParts,
    method: ContractMethod,
  ) {
    this.#body = new RequestBody(request, response, bodies);
    this.#response = response;
    this.#contract = contract;
    this.#method = method;
    this.#form = formOf(request.headers.accept ?? '');
    this.#call = calls.open(method.path, request, this);
    const sink = this.#sink();
    this.#source = ndjson.test(request.headers['content-type'] ?? '')
      ? new LineSource(this.#body, sink, jsonShare * this.#call.maxMessageBytes)
      : new ArraySource(this.#body, sink);
    response.once('close', () => {
      this.#call.gone();
      this.#source.close();
      this.#body.discard();
    });
  }

  /** Answers a request. */
  static run(
    request: IncomingMessage,
    response: ServerResponse,
    parts: ExchangeParts,
    method: ContractMethod,
  ): void {
    new StreamExchange(request, response, parts, method).#call.start();
  }

  onWanted(): void {
    this.#source.want();
  }

  onAnswer(bytes: Uint8Array, onTaken: () => void): void {
    const response = this.#response;
    const { contentType, before, between, prefix, suffix } = this.#form;
    const text = `${prefix}${JSON.stringify(this.#method.decode(bytes))}${suffix}`;
    let lead = between;
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': contentType, 'x-request-id': this.#call.requestId });
      lead = before;
    }
    response.write(lead + text, (error) => {
      // Of a connection that has ended the call is told by itself.
      if (error === null || error === undefined) onTaken();
    });
  }

  onEnd({ code, status, retryAfterMs }: CallEnd): void {
    const response = this.#response;
    this.#source.close();
    this.#body.discard();
    if (response.destroyed) return;
    if (response.headersSent) {
      response.end(this.#form.after);
      return;
    }
    const told = this.#contract.status(status);
    const httpCode = reasonIn(told) === tooLarge ? 413 : httpCodeOf(code);
    sendBody(response, httpCode, told, {
      'x-request-id': this.#call.requestId,
      ...refusalHeaders(httpCode, retryAfterMs),
    });
  }

  onCutOff(): void {
    this.#response.destroy();
  }

  #sink(): MessageSink {
    const call = this.#call;
    return {
      onMessage: (message) => this.#deliver(message),
      onMalformed: (error) => call.malformedMessage(error),
      onLast: () => call.halfClose(),
      onUnusable: (error) => call.fail(error),
      onHeldBytes: (bytes) => call.arriving(bytes),
    };
  }

  #deliver(message: JsonValue): void {
    let bytes: Buffer;
    try {
      bytes = this.#method.encode(message);
    } catch (error) {
      this.#call.malformedMessage(asVerdictError(error));
      return;
    }
    this.#call.message(bytes);
  }
}
