import type { TracedInput } from './replay.js';

/** One line of a trace, and its model, if the line names one. */
export interface TraceLine {
  readonly arrival: TracedInput;
  readonly model: string | undefined;
}

/** What is wrong with a line of a trace. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/**
 * Reads one line of a trace: a JSON object with `atMs` and `tokens`; `model`, `class` (default `interactive`), `flow`
 * (default: none), `deadlineMs` (default: none) and `whenFull` (default: `refuse` for interactive inputs, `wait` for
 * bulk ones) are optional.
 *
 * @throws TraceError that names the line and the field
 */
export function parseTraceLine(line: string, number: number): TraceLine {
  const fields = fieldsOf(line, number);
  const serviceClass = choice(fields, 'class', ['interactive', 'bulk'], 'interactive', number);
  const model = fields.get('model');
  if (model !== undefined && typeof model !== 'string') throw wrong(number, 'model', 'must be a text');
  return {
    model,
    arrival: {
      atMs: amount(fields, 'atMs', undefined, 0, number),
      tokens: whole(amount(fields, 'tokens', undefined, 1, number), 'tokens', number),
      serviceClass,
      flow: fields.has('flow')
        ? whole(amount(fields, 'flow', undefined, 0, number), 'flow', number)
        : undefined,
      deadlineMs: amount(fields, 'deadlineMs', Number.POSITIVE_INFINITY, 0, number),
      whenFull: choice(
        fields,
        'whenFull',
        ['refuse', 'wait'],
        serviceClass === 'bulk' ? 'wait' : 'refuse',
        number,
      ),
    },
  };
}

function fieldsOf(line: string, number: number): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new TraceError(`line ${number} of the trace is not valid JSON`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TraceError(`line ${number} of the trace is not a JSON object`);
  }
  return new Map(Object.entries(value));
}

function amount(
  fields: ReadonlyMap<string, unknown>,
  name: string,
  preset: number | undefined,
  least: number,
  number: number,
): number {
  const value = fields.get(name) ?? preset;
  if (typeof value === 'number' && value >= least) return value;
  throw wrong(number, name, `must be a number, ${least} or more`);
}

function whole(value: number, name: string, number: number): number {
  if (Number.isInteger(value)) return value;
  throw wrong(number, name, 'must be a whole number');
}

function choice<T extends string>(
  fields: ReadonlyMap<string, unknown>,
  name: string,
  choices: readonly T[],
  preset: T,
  number: number,
): T {
  const value = fields.get(name) ?? preset;
  const chosen = choices.find((candidate) => candidate === value);
  if (chosen === undefined) throw wrong(number, name, `must be one of ${choices.join(', ')}`);
  return chosen;
}

function wrong(number: number, field: string, expectation: string): TraceError {
  return new TraceError(`line ${number} of the trace: ${field} ${expectation}`);
}
