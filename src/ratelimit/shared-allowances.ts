import type { RedisConnection } from '../redis/redis-connection.js';
import { grainMs, windowMs } from './allowance.js';
import type { RateLimits } from './types.js';

/** Nobody waits longer: the time in Redis may be another program's, or that of a clock that was put back. */
const mostOwedMs = 60 * windowMs;

/** What was refused, and for how many milliseconds; Infinity: for ever. */
export interface Refused {
  readonly limit: 'requestsPerMinute' | 'tokensPerMinute';
  readonly waitMs: number;
}

/**
 * `Allowance`, in Redis, by its clock: KEYS are the two allowances of a caller, ARGV the milliseconds of an input and of a token (0:
 * no limit), the inputs and the tokens to spend, and 1 if the inputs ask to be let in. Returns the wait for tokens and the one for
 * inputs; if either is not 0, nothing was spent.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local window = ${windowMs}
local function full(key)
  local at = tonumber(redis.call('GET', key) or '0') or 0
  if at ~= at then at = 0 end
  return math.max(math.min(at, now + ${mostOwedMs}), now)
end
local inputMs, tokenMs, inputs, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local requestsAt = full(KEYS[1]) + inputs * inputMs
local tokensAt = full(KEYS[2]) + tokens * tokenMs
if ARGV[5] == '1' then
  local function waitMs(unitMs, at)
    local ms = at - now - window
    return unitMs > 0 and ms >= ${grainMs} and ms or 0
  end
  local owed, wait = waitMs(tokenMs, tokensAt), waitMs(inputMs, requestsAt)
  if owed > 0 or wait > 0 then return { tostring(owed), tostring(wait) } end
end
if inputMs > 0 and inputs > 0 then
  redis.call('SET', KEYS[1], string.format('%.6f', requestsAt), 'PX', math.ceil(requestsAt - now))
end
if tokenMs > 0 and tokens > 0 then
  redis.call('SET', KEYS[2], string.format('%.6f', tokensAt), 'PX', math.ceil(tokensAt - now))
end
return { '0', '0' }
`;

/** What callers have used of their minutes, counted for all servers together. */
export class SharedAllowances {
  readonly #redis: RedisConnection;
  readonly #keyPrefix: string;

  /** @param keyPrefix of every key in Redis */
  constructor(redis: RedisConnection, keyPrefix: string) {
    this.#redis = redis;
    this.#keyPrefix = keyPrefix;
  }

  /**
   * Spends inputs, if they may be let in. Never rejects.
   * @returns undefined: they may; `away`, at once or later: Redis says nothing, or has no say
   */
  enter(caller: string, limits: RateLimits, inputs: number): Promise<Refused | 'away' | undefined> | 'away' {
    if (limits.requestsPerMinute === 0 && limits.tokensPerMinute === 0) return 'away';
    if (inputs > limits.requestsPerMinute && limits.requestsPerMinute > 0)
      return Promise.resolve({ limit: 'requestsPerMinute', waitMs: Number.POSITIVE_INFINITY });
    const reply = this.#run(caller, limits, [inputs, 0, 1]);
    return reply === 'skipped' ? 'away' : reply.then(refused);
  }

  /** Spends tokens, also those that are not there. Nobody waits for it. */
  spendTokens(caller: string, limits: RateLimits, tokens: number): boolean {
    const reply = this.#run(caller, limits, [0, tokens, 0]);
    return reply !== 'skipped';
  }

  #run(
    caller: string,
    { requestsPerMinute, tokensPerMinute }: RateLimits,
    spent: readonly [inputs: number, tokens: number, asks: number],
  ): Promise<unknown> | 'skipped' {
    // The braces keep both keys on one node of a cluster.
    const key = `${this.#keyPrefix}limits:{${caller}}`;
    return this.#redis.evaluate(
      script,
      [`${key}:requests`, `${key}:tokens`],
      [unitMs(requestsPerMinute), unitMs(tokensPerMinute), ...spent],
    );
  }
}

function unitMs(perMinute: number): number {
  return perMinute === 0 ? 0 : windowMs / perMinute;
}

/** Redis is not this server's own: what it says is checked. */
function refused(reply: unknown): Refused | 'away' | undefined {
  if (!Array.isArray(reply) || reply.length !== 2) return 'away';
  const [owed, wait] = reply.map(Number);
  if (owed === undefined || wait === undefined || !Number.isFinite(owed) || !Number.isFinite(wait))
    return 'away';
  if (owed > 0) return { limit: 'tokensPerMinute', waitMs: owed };
  if (wait > 0) return { limit: 'requestsPerMinute', waitMs: wait };
  return undefined;
}
