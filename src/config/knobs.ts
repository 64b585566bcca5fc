import { type KnobMeta, knobMeta } from './knob.js';
import { configSchema } from './schema.js';

/** One knob with the names that it goes by. */
export interface Knob extends KnobMeta {
  readonly section: string;
  readonly key: string;
  /** `limits.maxTextChars`: its place in the YAML file and in the settings. */
  readonly path: string;
  /** `--max-text-chars`. */
  readonly flag: string;
  /** `VERDICT_MAX_TEXT_CHARS`. */
  readonly variable: string;
  /** Whether a value of the right type is allowed. */
  accepts(value: unknown): boolean;
}

export const variablePrefix = 'VERDICT_';

/** The flag and the variable that name the YAML file. They are no knob: the file cannot name itself. */
export const configFile = {
  flag: '--config',
  variable: `${variablePrefix}CONFIG`,
  doc: 'YAML file with settings; a relative path starts at the working directory.',
} as const;

/** All knobs, in the order of the documentation. */
export const knobs: readonly Knob[] = Object.entries(configSchema.shape).flatMap(([section, { shape }]) =>
  Object.entries(shape).map(([key, leaf]) => {
    const meta = knobMeta.get(leaf);
    if (meta === undefined) throw new TypeError(`${section}.${key} has no documentation`);
    return {
      ...meta,
      section,
      key,
      path: `${section}.${key}`,
      flag: `--${meta.name}`,
      variable: variablePrefix + meta.name.toUpperCase().replaceAll('-', '_'),
      accepts: (value: unknown) => leaf.safeParse(value).success,
    };
  }),
);
