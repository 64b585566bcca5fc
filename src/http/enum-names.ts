import type { DescEnum, DescField, DescMessage, JsonObject, JsonValue } from '@bufbuild/protobuf';

/**
 * The name of the first enum field in a message whose value names no value of the enum; undefined: there is none. The library passes
 * over such values together with unknown fields, and the caller would get what it did not ask for.
 */
export function fieldWithUnknownEnum(type: DescMessage, json: JsonValue): string | undefined {
  if (!isObject(json)) return undefined;
  for (const field of type.fields) {
    const value = json[field.jsonName] ?? json[field.name];
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      const found = inValue(field, one);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function inValue(field: DescField, value: JsonValue): string | undefined {
  if (field.message !== undefined) return fieldWithUnknownEnum(field.message, value);
  if (field.enum === undefined || typeof value !== 'string' || hasName(field.enum, value)) return undefined;
  return field.name;
}

function hasName({ values }: DescEnum, name: string): boolean {
  return values.some((one) => one.name === name);
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
