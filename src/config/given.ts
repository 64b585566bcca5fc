import type { Knob } from './knobs.js';

/** A value that somebody gave for a knob, and where, in the words they used. */
export interface Given {
  readonly knob: Knob;
  readonly value: unknown;
  /** `--port`, `VERDICT_PORT`, `VERDICT_PORT in .env`, `server.port in verdict.yaml`. */
  readonly label: string;
}

/** What one source gave, and what is wrong with it, a sentence each. */
export interface SourceReading {
  readonly given: readonly Given[];
  readonly problems: readonly string[];
  /** The YAML file that the source names. */
  readonly configFile?: string;
}

/** A value from a flag or a variable, where everything is text. Left as text where it is not of the knob's kind. */
export function fromText(knob: Knob, value: string): unknown {
  return knob.kind === 'int' && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value;
}

/** The sentence about a value that the knob does not take; undefined for one that it takes. */
export function problemWith({ knob, value, label }: Given): string | undefined {
  if (knob.accepts(value)) return undefined;
  return `${label} is ${knob.secret ? 'not usable' : shown(value)}: it must be ${knob.allowed}.`;
}

/** Of what YAML can hold beside single values only the kind: it may be large, or hold itself. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
