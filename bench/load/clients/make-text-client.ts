import { FastApiClient } from './fastapi-client.js';
import { OipGrpcClient } from './oip-grpc-client.js';
import { OipHttpClient } from './oip-http-client.js';
import { TeiStreamClient } from './tei-stream-client.js';
import { TeiUnaryClient } from './tei-unary-client.js';
import type { ClientOptions, TextClient } from './text-client.js';
import { VerdictHttpClient } from './verdict-http-client.js';
import { VerdictOipClient } from './verdict-oip-client.js';
import { VerdictStreamClient } from './verdict-stream-client.js';
import { VerdictUnaryClient } from './verdict-unary-client.js';

/** What a server may speak. */
export type Protocol =
  | 'verdict-unary'
  | 'verdict-stream'
  | 'verdict-http'
  | 'verdict-oip'
  | 'fastapi'
  | 'tei-unary'
  | 'tei-stream'
  | 'oip-grpc'
  | 'oip-http';

/** A server, and how it is spoken to. */
export interface Target extends ClientOptions {
  readonly protocol: Protocol;
  /** Name of the Open Inference Protocol's input tensor. */
  readonly input?: string;
}

/** Connects to a server. */
export function makeTextClient(target: Target): TextClient {
  const { protocol, input = 'text' } = target;
  switch (protocol) {
    case 'verdict-unary':
      return new VerdictUnaryClient(target);
    case 'verdict-stream':
      return new VerdictStreamClient(target);
    case 'verdict-http':
      return new VerdictHttpClient(target);
    case 'verdict-oip':
      return new VerdictOipClient(target);
    case 'fastapi':
      return new FastApiClient(target);
    case 'tei-unary':
      return new TeiUnaryClient(target);
    case 'tei-stream':
      return new TeiStreamClient(target);
    case 'oip-grpc':
      return new OipGrpcClient({ ...target, input });
    case 'oip-http':
      return new OipHttpClient({ ...target, input });
  }
}
