import type { Setting } from './settings.js';

/** A value given for a setting, and where, in the user's words. */
export interface Given {
  readonly setting: Setting;
  readonly value: unknown;
  /** `--port`, `VERDICT_PORT`, `VERDICT_PORT in .env`, `server.port in verdict.yaml`. */
  readonly label: string;
}

/** The values of one source, and its problems, one sentence each. */
export interface SourceReading {
  readonly given: readonly Given[];
  readonly problems: readonly string[];
  /** The YAML file that the source names. */
  readonly configFile?: string;
}

/**
 * Converts a value from a flag or a variable, where everything is text. It stays text if it is not of the setting's
 * kind.
 */
export function fromText(setting: Setting, value: string): unknown {
  const pattern = { int: /^[+-]?\d+$/, number: /^[+-]?\d+(\.\d+)?$/, choice: undefined, text: undefined };
  return pattern[setting.kind]?.test(value.trim()) === true ? Number(value) : value;
}

/** The sentence about a value that the setting does not accept; undefined if it accepts it. */
export function problemWith({ setting, value, label }: Given): string | undefined {
  if (setting.accepts(value)) return undefined;
  return `${label} is ${setting.secret ? 'not usable' : shown(value)}: it must be ${setting.allowed}.`;
}

/** For lists and mappings only the kind: YAML values may be large, or contain themselves. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
