import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { VerdictError } from '../errors.js';

/**
 * Adds to a request what its path and its query say, as `google.api.http` binds them. A field may not be named twice.
 * @param body the request so far, which is not changed
 * @throws VerdictError invalid_argument
 */
export function withBoundFields(
  type: DescMessage,
  body: JsonObject,
  params: Readonly<Record<string, string | undefined>>,
  query: URLSearchParams,
): JsonObject {
  let request = body;
  for (const [name, value = ''] of Object.entries(params)) request = bound(type, request, [name], value);
  for (const [path, value] of query) request = bound(type, request, path.split('.'), value);
  return request;
}

function bound(type: DescMessage, into: JsonObject, path: readonly string[], text: string): JsonObject {
  const [name = '', ...rest] = path;
  const field = type.fields.find((one) => one.name === name || one.jsonName === name);
  if (field === undefined) throw unknownField(type);
  const present = into[field.jsonName] ?? into[field.name];
  const { [field.name]: _, [field.jsonName]: __, ...others } = into;
  if (rest.length === 0) {
    const value = scalarOf(field, text);
    if (present !== undefined && present !== value) throw conflict(field);
    return { ...others, [field.jsonName]: value };
  }
  if (field.fieldKind !== 'message' || (present !== undefined && !isObject(present)))
    throw unknownField(type);
  return { ...others, [field.jsonName]: bound(field.message, present ?? {}, rest, text) };
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
