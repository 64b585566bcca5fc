import { configSchema } from './schema.js';
import { type SettingMeta, settingMeta } from './setting.js';

/** One setting with its names. */
export interface Setting extends SettingMeta {
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

/** The flag and the variable that name the YAML file. They are not a setting: the file cannot name itself. */
export const configFile = {
  flag: '--config',
  variable: `${variablePrefix}CONFIG`,
  doc: 'YAML file with settings. A relative path starts at the working directory.',
} as const;

/** All settings, in the order of the documentation. */
export const settings: readonly Setting[] = Object.entries(configSchema.shape).flatMap(
  ([section, { shape }]) =>
    Object.entries(shape).map(([key, leaf]) => {
      const meta = settingMeta.get(leaf);
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
