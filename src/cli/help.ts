import type { Command } from './command.js';
import type { Flag } from './flags.js';

/** `verdict --help`. */
export function overview(entries: readonly { readonly name: string; readonly summary: string }[]): string {
  return [
    'Verdict classifies text with ONNX models over gRPC.',
    '',
    'Usage: verdict <command> [flags]',
    '',
    ...columns(entries.map(({ name, summary }) => [name, summary] as const)),
    '',
    ...columns([
      ['<command> --help', 'the flags of a command'],
      ['--version', 'the version of Verdict'],
    ]),
  ].join('\n');
}

/** `verdict <command> --help`. */
export function commandHelp({ name, usage, description, flags, examples }: Command): string {
  const rows = Object.entries(flags).map(([flag, spec]) => [flagSyntax(flag, spec), spec.help] as const);
  return [
    `Usage: verdict ${name} ${usage}`.trimEnd(),
    '',
    description,
    '',
    'Flags',
    ...columns([...rows, ['--help', 'this text']]),
    '',
    'Examples',
    ...examples.map((example) => `  verdict ${example}`),
  ].join('\n');
}

/** A flag as it is typed, with a placeholder for its value. */
export function flagSyntax(name: string, flag: Flag): string {
  if (flag.kind === 'switch') return `--${name}`;
  return `--${name} ${flag.kind === 'choice' ? flag.choices.join('|') : (flag.value ?? 'VALUE')}`;
}

/** Two aligned columns; an entry that is too long for the first column gets its own line. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) =>
    left.length > width
      ? [`  ${left}`, `  ${' '.repeat(width)}  ${right}`]
      : [`  ${left.padEnd(width)}  ${right}`],
  );
}
