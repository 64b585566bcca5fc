import { VerdictError } from '../errors.js';

/**
 * Values that the JSON of a request may hold: a few for each input of the largest batch that can be configured. Without a limit a
 * compressed body of 8 KB becomes three million objects in one turn.
 */
const maxValues = 100_000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const [quote, backslash, comma, openBracket, openBrace] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/**
 * The JSON in a body.
 * @param max values that it may hold
 * @throws VerdictError invalid_argument, which quotes nothing
 */
export function parseJson(body: Uint8Array, max = maxValues): unknown {
  if (body.length > max && valuesIn(body) > max) {
    throw new VerdictError('invalid_argument', `the body holds more than ${max} JSON values`, {
      reason: 'TOO_MANY_FIELDS',
    });
  }
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw new VerdictError('invalid_argument', 'the body is not JSON in UTF-8', {
      reason: 'MALFORMED_MESSAGE',
    });
  }
}

/** At least as many values as the JSON in a body holds: one for each comma and each opening bracket outside of strings, without making any of them. */
export function valuesIn(body: Uint8Array): number {
  let values = 1;
  let isString = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) isString = !isString;
    else if (isString) at += byte === backslash ? 1 : 0;
    else if (byte === comma || byte === openBracket || byte === openBrace) values++;
  }
  return values;
}
