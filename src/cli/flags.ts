import { parseArgs } from 'node:util';
import { didYouMean } from '../config/nearest.js';
import { UsageError } from './usage-error.js';

interface FlagBase {
  /** What it does, in a line or two; ends without a full stop. */
  readonly help: string;
  /** Stands for the value in help texts. */
  readonly value?: string;
}

interface NumberFlag extends FlagBase {
  readonly kind: 'number';
  /** Default false: fractions are allowed. */
  readonly integer?: boolean;
  readonly min?: number;
}

interface ChoiceFlag extends FlagBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
}

/** `text`, `number` and `choice` take a value, `switch` takes none, and `list` may be repeated. */
export type Flag = (FlagBase & { readonly kind: 'text' | 'switch' | 'list' }) | NumberFlag | ChoiceFlag;

/** Flags by name, without the two dashes. */
export type Flags = Readonly<Record<string, Flag>>;

type FlagValue<F extends Flag> = F extends { kind: 'switch' }
  ? boolean
  : F extends { kind: 'list' }
    ? readonly string[]
    : F extends { kind: 'number' }
      ? number | undefined
      : F extends { kind: 'choice'; choices: readonly (infer C)[] }
        ? C | undefined
        : string | undefined;

export type FlagValues<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** @throws UsageError that names the flag and what is allowed */
export function parseFlags<const F extends Flags>(
  flags: F,
  argv: readonly string[],
): { readonly values: FlagValues<F>; readonly positionals: readonly string[] } {
  const { values, positionals } = readArgs(flags, argv);
  const parsed: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) parsed[name] = flagValue(name, flag, values[name]);
  return { values: parsed as FlagValues<F>, positionals };
}

function readArgs(flags: Flags, argv: readonly string[]) {
  const options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }> = {};
  for (const [name, { kind }] of Object.entries(flags)) {
    options[name] = { type: kind === 'switch' ? 'boolean' : 'string', multiple: kind === 'list' };
  }
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(explained(error.message, Object.keys(flags)), { cause: error });
  }
}

/** Shortens the message of parseArgs, which suggests things that the user did not mean. */
function explained(message: string, names: readonly string[]): string {
  const sentence = message.split('. ')[0] ?? message;
  const unknown = /^Unknown option '(--?)([^']+)'/.exec(message);
  if (unknown?.[1] === '--') {
    const hint = didYouMean(unknown[2] ?? '', names).replace('mean ', 'mean --');
    return hint === '' ? sentence : `${sentence}.${hint}`;
  }
  if (unknown !== null) return `${sentence}. Put arguments that begin with a dash after --`;
  const dashed = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1];
  if (dashed === undefined) return sentence;
  return `${dashed} needs an equals sign before a value that begins with a dash: ${dashed}=-1`;
}

function flagValue(name: string, flag: Flag, value: unknown): unknown {
  if (flag.kind === 'switch') return value ?? false;
  if (flag.kind === 'list') return value ?? [];
  if (typeof value !== 'string') return undefined;
  if (flag.kind === 'number') return numberValue(name, flag, value);
  if (flag.kind === 'choice' && !flag.choices.includes(value)) {
    throw new UsageError(`--${name} must be one of ${flag.choices.join(', ')}; got "${value}"`);
  }
  return value;
}

function numberValue(name: string, { integer = false, min }: NumberFlag, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isGood =
    Number.isFinite(value) && (!integer || Number.isInteger(value)) && value >= (min ?? -Infinity);
  if (isGood) return value;
  const bound = min === undefined ? '' : `, ${min} or more`;
  throw new UsageError(`--${name} must be a ${integer ? 'whole ' : ''}number${bound}; got "${text}"`);
}
