import * as z from 'zod/mini';

/** Describes a setting beyond its schema: where it is set, what it means, what it accepts. */
export interface SettingMeta {
  /** `max-text-chars`: the flag is `--max-text-chars`, the variable `VERDICT_MAX_TEXT_CHARS`. */
  readonly name: string;
  readonly kind: 'int' | 'number' | 'choice' | 'text';
  /** What is allowed; completes the sentence "it must be ...". */
  readonly allowed: string;
  /** `ms`, `bytes`, ...; empty for a bare number or a text. */
  readonly unit: string;
  /** The default as documentation shows it. */
  readonly defaultText: string;
  /** What it does, for users: one or a few sentences. */
  readonly doc: string;
  /** A second environment variable for it, which the `VERDICT_` one overrides. */
  readonly alias: string | undefined;
  /** The value must not be printed. */
  readonly secret: boolean;
}

/** A rule for a text: the test, and the same in words. */
export interface TextRule {
  readonly test: (value: string) => boolean;
  readonly allowed: string;
}

/** The {@link SettingMeta} of the schema's leaves. */
export const settingMeta = z.registry<SettingMeta>();

/** A whole number from `min` to `max`. */
export function int(
  name: string,
  spec: { default: number; min: number; max: number; unit?: string; doc: string },
) {
  const { min, max, unit = '', doc } = spec;
  const schema = z.number().check(z.int(), z.minimum(min), z.maximum(max));
  return z._default(schema, spec.default).register(settingMeta, {
    name,
    kind: 'int',
    allowed: `a whole number from ${min} to ${max}${unit === '' ? '' : ` (${unit})`}`,
    unit,
    defaultText: String(spec.default),
    doc,
    alias: undefined,
    secret: false,
  });
}

/** A number from `min` to `max`. */
export function number(name: string, spec: { default: number; min: number; max: number; doc: string }) {
  const { min, max, doc } = spec;
  const schema = z.number().check(z.minimum(min), z.maximum(max));
  return z._default(schema, spec.default).register(settingMeta, {
    name,
    kind: 'number',
    allowed: `a number from ${min} to ${max}`,
    unit: '',
    defaultText: String(spec.default),
    doc,
    alias: undefined,
    secret: false,
  });
}

/** One of a closed set of words. */
export function choice<const T extends string>(
  name: string,
  spec: { default: NoInfer<T>; options: readonly T[]; doc: string },
) {
  return z._default(z.enum(spec.options), spec.default as T).register(settingMeta, {
    name,
    kind: 'choice',
    allowed: `one of ${spec.options.join(', ')}`,
    unit: '',
    defaultText: spec.default,
    doc: spec.doc,
    alias: undefined,
    secret: false,
  });
}

/** A text that passes a rule. */
export function text(name: string, spec: { default: string; rule: TextRule; doc: string }) {
  return z._default(textSchema(spec.rule), spec.default).register(settingMeta, {
    name,
    kind: 'text',
    allowed: spec.rule.allowed,
    unit: '',
    defaultText: spec.default,
    doc: spec.doc,
    alias: undefined,
    secret: false,
  });
}

/** An optional text. `defaultText` says what applies without it. */
export function optionalText(
  name: string,
  spec: { defaultText: string; rule: TextRule; doc: string; alias?: string; secret?: boolean },
) {
  return z.optional(textSchema(spec.rule)).register(settingMeta, {
    name,
    kind: 'text',
    allowed: spec.rule.allowed,
    unit: '',
    defaultText: spec.defaultText,
    doc: spec.doc,
    alias: spec.alias,
    secret: spec.secret ?? false,
  });
}

function textSchema(rule: TextRule) {
  return z.string().check(z.refine(rule.test));
}
