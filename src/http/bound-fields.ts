import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { VerdictError } from '../errors.js';

/**
 * Adds to a request what its path and its query say, as `google.api.http` binds them. A field that is named twice must have one value.
 * @param body the request so far, which is changed: a copy for each field would let a long query of a large body take minutes
 * @throws VerdictError invalid_argument
 */
export function withBoundFields(
  type: DescMessage,
  body: JsonObject,
  params: Readonly<Record<string, string | undefined>>,
  query: URLSearchParams,
): JsonObject {
  for (const [name, value = ''] of Object.entries(params)) bind(type, body, [name], value);
  for (const [path, value] of query) bind(type, body, path.split('.'), value);
  return body;
}

function bind(type: DescMessage, into: JsonObject, path: readonly string[], text: string): void {
  const [name = '', ...rest] = path;
  const field = type.fields.find((one) => one.name === name || one.jsonName === name);
  if (field === undefined) throw unknownField(type);
  const present = into[field.jsonName] ?? into[field.name];
  delete into[field.name];
  if (rest.length === 0) {
    const value = scalarOf(field, text);
    if (present !== undefined && present !== value) throw conflict(field);
    into[field.jsonName] = value;
    return;
  }
  if (field.fieldKind !== 'message' || (present !== undefined && !isObject(present)))
    throw unknownField(type);
  const inner = present ?? {};
  into[field.jsonName] = inner;
  bind(field.message, inner, rest, text);
}

/** Numbers may be texts in protobuf's JSON. */
function scalarOf(field: DescField, text: string): JsonValue {
  if (field.fieldKind === 'enum') return /^\d+$/.test(text) ? Number(text) : text;
  if (field.fieldKind !== 'scalar') throw unknownField(field.parent);
  return field.scalar === ScalarType.BOOL && (text === 'true' || text === 'false') ? text === 'true' : text;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name that was given is the caller's, and not quoted. */
function unknownField(type: DescMessage): VerdictError {
  return refused(`the query names a field that ${type.typeName} does not have as a single value`);
}

function conflict({ name }: DescField): VerdictError {
  return refused(`${name}: is not the same in the path or query and in the body`);
}

function refused(message: string): VerdictError {
  return new VerdictError('invalid_argument', message, { reason: 'MALFORMED_MESSAGE' });
}
