import { HubError } from './source-error.js';

/** What a response other than 2xx says. */
export class HubStatusError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(`status ${status}`);
  }

  static of(status: number, headers: Headers): HubStatusError {
    return new HubStatusError(status, headers.get('x-error-code') ?? '', retryAfterOf(headers));
  }
}

/** Who was asked for what. */
interface Asked {
  readonly repo: string;
  readonly endpoint: string;
  readonly token: string | undefined;
}

/** What went wrong with the Hub, for the person who asked, and what helps. Neither the token nor a signed address is in it. */
export function inWords(error: unknown, { repo, endpoint, token }: Asked): HubError {
  if (error instanceof HubError) return error;
  if (!(error instanceof Error)) return new HubError(`${repo}: ${String(error)}`);
  if (!(error instanceof HubStatusError)) {
    const cause = error.cause instanceof Error ? error.cause : error;
    const reason = (cause as NodeJS.ErrnoException).code ?? cause.message;
    return new HubError(
      `cannot read from ${endpoint} (${reason}). HF_HUB_OFFLINE=1 takes what the Hub's cache holds`,
      { cause: error },
    );
  }
  switch (error.status) {
    case 401:
      return new HubError(
        token === undefined
          ? `${endpoint} has no ${repo}, or it takes a token to see it: set HF_TOKEN`
          : `${endpoint} has no ${repo}, or HF_TOKEN is not valid there`,
      );
    case 403:
      return new HubError(
        error.code === 'GatedRepo'
          ? `${repo} is gated: accept its conditions at ${endpoint}/${repo}, and set HF_TOKEN to a token of that account`
          : `${endpoint} does not let this HF_TOKEN read ${repo}`,
      );
    case 404:
      return new HubError(
        error.code === 'RevisionNotFound'
          ? `${repo} has no such revision`
          : `${endpoint} has no ${error.code === 'EntryNotFound' ? 'such file of ' : ''}${repo}`,
      );
    case 429: {
      const seconds = Math.ceil((error.retryAfterMs ?? 300_000) / 1000);
      const hint = token === undefined ? '; it lets more through with a token (HF_TOKEN)' : '';
      return new HubError(`${endpoint} limits requests: try again in ${seconds} s${hint}`);
    }
    default:
      return new HubError(`${endpoint} answers with status ${error.status} for ${repo}`);
  }
}

/** In seconds, or a date. The Hub also tells it in `RateLimit`, as `"api";r=0;t=57`. */
function retryAfterOf(headers: Headers): number | undefined {
  const after = headers.get('retry-after') ?? /;\s*t=([0-9]+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  if (after === undefined) return undefined;
  const ms = /^[0-9]+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
