import * as z from 'zod/mini';

/** What a knob is, beyond its schema: where it is set, what it means, what it takes. */
export interface KnobMeta {
  /** `max-text-chars`: the flag is `--max-text-chars`, the variable `VERDICT_MAX_TEXT_CHARS`. */
  readonly name: string;
  readonly kind: 'int' | 'choice' | 'text';
  /** What is allowed, as it ends the sentence "it must be ...". */
  readonly allowed: string;
  /** `ms`, `bytes`, ...; empty for a bare number or a text. */
  readonly unit: string;
  /** The default as documentation shows it. */
  readonly defaultText: string;
  /** One sentence. */
  readonly doc: string;
  /** A further environment variable that sets it, weaker than the `VERDICT_` one. */
  readonly alias: string | undefined;
  /** The value must not be printed. */
  readonly secret: boolean;
}

/** What a text must look like: the test, and the same in words. */
export interface TextRule {
  readonly test: (value: string) => boolean;
  readonly allowed: string;
}

/** Where the schema's leaves keep their {@link KnobMeta}. */
export const knobMeta = z.registry<KnobMeta>();

/** A whole number from `min` to `max`. */
export function int(
  name: string,
  spec: { default: number; min: number; max: number; unit?: string; doc: string },
) {
  const { min, max, unit = '', doc } = spec;
  const schema = z.number().check(z.int(), z.minimum(min), z.maximum(max));
  return z._default(schema, spec.default).register(knobMeta, {
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

/** One of a closed set of words. */
export function choice<const T extends string>(
  name: string,
  spec: { default: NoInfer<T>; options: readonly T[]; doc: string },
) {
  return z._default(z.enum(spec.options), spec.default as T).register(knobMeta, {
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
  return z._default(textSchema(spec.rule), spec.default).register(knobMeta, {
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

/** A text that may be left out. `defaultText` says what holds then. */
export function optionalText(
  name: string,
  spec: { defaultText: string; rule: TextRule; doc: string; alias?: string; secret?: boolean },
) {
  return z.optional(textSchema(spec.rule)).register(knobMeta, {
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
