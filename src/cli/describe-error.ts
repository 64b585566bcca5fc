import type { VerdictClientError } from '../../clients/typescript/src/index.js';

/** A failed call in words, with what to do about it. */
export function describeError(error: VerdictClientError, address: string): string {
  const hint = hintFor(error);
  const request = error.requestId === undefined ? '' : ` [request ${error.requestId}]`;
  if (isUnreachable(error)) {
    return `cannot reach a server at ${address} (${connectionTrouble(error.message)})\n${hint}`;
  }
  return `${error.code}: ${error.message}${request}${hint === undefined ? '' : `\n${hint}`}`;
}

/** A server that answers gives a reason; a connection that failed has none. */
function isUnreachable({ code, reason }: VerdictClientError): boolean {
  return code === 'UNAVAILABLE' && reason === '';
}

function hintFor(error: VerdictClientError): string | undefined {
  switch (error.code) {
    case 'UNAVAILABLE':
      return isUnreachable(error)
        ? 'Is the server running? Start it with npx verdict serve, or give its address with --address HOST:PORT'
        : undefined;
    case 'UNAUTHENTICATED':
      return error.reason === 'MISSING_CREDENTIALS' ? 'Set VERDICT_API_KEY, or give --api-key' : undefined;
    case 'NOT_FOUND':
      return 'npx verdict models list shows the models of the server';
    case 'RESOURCE_EXHAUSTED':
      if (error.reason === 'RESPONSE_TOO_LARGE') {
        return 'The reply is larger than this command takes: ask for fewer labels (--top-k) or fewer texts at once (--batch-size)';
      }
      return error.retryAfterMs === undefined
        ? undefined
        : `The server is overloaded; try again in ${Math.ceil(error.retryAfterMs)} ms`;
    case 'DEADLINE_EXCEEDED':
      return 'Give it more time with --timeout-ms';
    case 'UNIMPLEMENTED':
      return 'This may not be a Verdict server, or one that is older than this command';
    default:
      return undefined;
  }
}

const IN_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name lookup failed',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ECONNRESET: 'the connection was cut',
};

/** Only the cause, without grpc-js's trail of names and resolutions. */
function connectionTrouble(message: string): string {
  const code = /\bE(?:[A-Z]{4,}|AI_[A-Z]+)\b/.exec(message)?.[0];
  return code === undefined ? message : (IN_WORDS[code] ?? code);
}
