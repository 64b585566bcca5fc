import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { CallEnd, DirectCaller, DirectMethod, OpenedCall } from '../rpc/direct-caller.js';
import type { DirectCalls } from '../rpc/direct-calls.js';
import { asVerdictError } from '../rpc/status.js';
import { httpCodeOf, reasonIn, refusalHeaders, sendBody } from './answers.js';
import type { Contract } from './contract.js';
import { FailedAnswer } from './failed-answer.js';
import type { Moderators } from './moderators.js';
import { type BodyLimits, RequestBody, tooLarge } from './request-body.js';

/** One request for one answer, in the words of some protocol. Most of them know the messages of the method as JSON. */
export interface UnaryProtocol<Req = JsonObject, Res = JsonObject> {
  readonly method: DirectMethod<Req, Res>;
  /** False: the request is complete with its head. */
  readonly hasBody: boolean;
  /**
   * The request of the method. Called once.
   * @throws VerdictError invalid_argument
   */
  requestOf(body: Buffer): ProtocolRequest<Req>;
  /** What the protocol answers. @throws VerdictError that the call fails with */
  answerOf(answer: Res): ProtocolAnswer | FailedAnswer;
  /** What the protocol says of a failure. @param status the google.rpc.Status */
  failureOf(status: JsonObject, httpCode: number): { readonly httpCode: number; readonly body: JsonValue };
}

export interface ProtocolAnswer {
  /** JSON, or bytes of a type that the headers tell. */
  readonly body: JsonValue | Buffer;
  /** 200 without it. */
  readonly httpCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ProtocolRequest<Req = JsonObject> {
  readonly message: Req;
  /** Of a method for many inputs: there is one, which competes as that of a unary call does. */
  readonly isInteractive?: boolean;
}

/** What all exchanges of the port share. */
export interface ExchangeParts {
  readonly calls: DirectCalls;
  readonly contract: Contract;
  readonly bodies: BodyLimits;
  /** What some protocols have the server say of itself. */
  readonly moderators: Moderators;
  readonly about: {
    readonly version: string;
    readonly maxBatchInputs: number;
    /** Inputs of one stream under way at once. */
    readonly streamWindow: number;
  };
}

/** One HTTP request that is one unary call. */
export class UnaryExchange<Req, Res> implements DirectCaller {
  readonly #body: RequestBody;
  readonly #response: ServerResponse;
  readonly #contract: Contract;
  readonly #protocol: UnaryProtocol<Req, Res>;
  readonly #call: OpenedCall;
  #hasSent = false;
  #answer: { readonly content: ProtocolAnswer | FailedAnswer; readonly onTaken: () => void } | undefined;

  private constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { calls, contract, bodies }: ExchangeParts,
    protocol: UnaryProtocol<Req, Res>,
  ) {
    this.#body = new RequestBody(request, response, bodies);
    this.#response = response;
    this.#contract = contract;
    this.#protocol = protocol;
    this.#call = calls.open(protocol.method.path, request, this);
    response.once('close', () => {
      this.#call.gone();
      this.#body.discard();
    });
  }

  /** Answers a request. */
  static run<Req, Res>(
    request: IncomingMessage,
    response: ServerResponse,
    parts: ExchangeParts,
    protocol: UnaryProtocol<Req, Res>,
  ): void {
    new UnaryExchange(request, response, parts, protocol).#call.start();
  }

  onWanted(): void {
    if (this.#hasSent) {
      this.#call.halfClose();
      return;
    }
    this.#hasSent = true;
    if (!this.#protocol.hasBody) {
      this.#send(Buffer.alloc(0));
      return;
    }
    this.#body.readWhole({
      onHeldBytes: (bytes) => this.#call.arriving(bytes),
      onBody: (body) => this.#send(body),
      onUnusable: (error) => this.#call.fail(error),
    });
  }

  #send(body: Buffer): void {
    let bytes: Buffer;
    try {
      const { message, isInteractive = false } = this.#protocol.requestOf(body);
      bytes = this.#protocol.method.encode(message);
      if (isInteractive) this.#call.asInteractive();
    } catch (error) {
      this.#call.malformedMessage(asVerdictError(error));
      return;
    }
    this.#call.arriving(0);
    this.#call.message(bytes);
  }

  onAnswer(bytes: Uint8Array, onTaken: () => void): void {
    this.#answer = { content: this.#protocol.answerOf(this.#protocol.method.decode(bytes)), onTaken };
  }

  onEnd({ code, status, retryAfterMs }: CallEnd): void {
    this.#body.discard();
    if (this.#response.destroyed) return;
    const head = { 'x-request-id': this.#call.requestId };
    if (code !== 0 || this.#answer === undefined) {
      const told = this.#contract.status(status);
      this.#fail(told, reasonIn(told) === tooLarge ? 413 : httpCodeOf(code), head, retryAfterMs);
      return;
    }
    const { content, onTaken } = this.#answer;
    if (content instanceof FailedAnswer)
      this.#fail(content.status, httpCodeOf(content.status.code), head, undefined);
    else {
      const { httpCode = 200, body, headers } = content;
      sendBody(this.#response, httpCode, body, { ...head, ...headers }, onTaken);
    }
  }

  #fail(
    status: JsonObject,
    usualCode: number,
    head: Readonly<Record<string, string>>,
    retryAfterMs: number | undefined,
  ): void {
    const { httpCode, body } = this.#protocol.failureOf(status, usualCode);
    sendBody(this.#response, httpCode, body, { ...head, ...refusalHeaders(httpCode, retryAfterMs) });
  }

  onCutOff(): void {
    this.#response.destroy();
  }
}
