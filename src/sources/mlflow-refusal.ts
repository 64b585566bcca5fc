import type { MlflowCredentials } from './mlflow-credentials.js';
import { RegistryError } from './source-error.js';

/** The longest answer of an error that is looked into for its code. */
const MOST_ERROR_BYTES = 65_536;

/** What a response other than 2xx says. */
export class MlflowStatusError extends Error {
  constructor(
    readonly status: number,
    /** Such as `RESOURCE_DOES_NOT_EXIST`. */
    readonly code: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(`status ${status}`);
  }

  static async of(response: Response): Promise<MlflowStatusError> {
    const after = response.headers.get('retry-after') ?? '';
    const retryAfterMs = /^[0-9]{1,6}$/.test(after) ? Number(after) * 1000 : undefined;
    return new MlflowStatusError(response.status, await codeIn(response), retryAfterMs);
  }
}

/** Who was asked for what. */
interface Asked {
  readonly what: string;
  readonly endpoint: string;
  readonly credentials: MlflowCredentials | undefined;
}

/** What went wrong with MLflow, for the person who asked, and what helps. Neither credentials nor the server's words are in it. */
export function mlflowInWords(error: unknown, { what, endpoint, credentials }: Asked): RegistryError {
  if (error instanceof RegistryError) return error;
  const say = (words: string) => new RegistryError(words, { cause: error });
  if (!(error instanceof MlflowStatusError)) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const { code, name } = cause as NodeJS.ErrnoException;
    const reason = name === 'TimeoutError' ? 'no answer in time' : (code ?? 'no usable answer');
    return say(`cannot read from ${endpoint} (${reason})`);
  }
  const { status, code } = error;
  if (status === 401) {
    return say(
      credentials === undefined
        ? `${endpoint} wants to know who asks: set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD`
        : `${endpoint} does not take the ${credentials.kind} of MLFLOW_TRACKING_${credentials.kind.toUpperCase()}`,
    );
  }
  if (status === 403) return say(`${endpoint} does not let these credentials read ${what}`);
  // MLflow calls an alias that is not there an invalid value.
  if (status === 404 || code === 'RESOURCE_DOES_NOT_EXIST' || code === 'INVALID_PARAMETER_VALUE') {
    return say(`${endpoint} has no ${what}`);
  }
  if (status === 429) return say(`${endpoint} limits requests: try again later`);
  return say(`${endpoint} answers with status ${status} for ${what}`);
}

async function codeIn({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MOST_ERROR_BYTES) return '';
      chunks.push(chunk);
    }
    const { error_code: code } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof code === 'string' ? code : '';
  } catch {
    return '';
  }
}
