import { parseArgs } from 'node:util';
import { fromText, type Given, type SourceReading } from './given.js';
import { didYouMean } from './nearest.js';
import { configFile, settings } from './settings.js';

const byFlag = new Map(settings.map((setting) => [setting.flag, setting]));
const options = Object.fromEntries(
  [...byFlag.keys(), configFile.flag].map((flag) => [flag.slice(2), { type: 'string' as const }]),
);

/** Reads `--name value` and `--name=value`. If a flag is given twice, the last one counts. */
export function readFlags(argv: readonly string[]): SourceReading {
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: Given[] = [];
  const problems: string[] = [];
  let file: string | undefined;
  let afterUnknown = -1;
  for (const token of tokens) {
    // The argument after an unknown flag is most likely its value, and the flag has been reported.
    if (token.kind === 'positional' && token.index !== afterUnknown) {
      problems.push(`Unexpected argument ${JSON.stringify(token.value)}.`);
    }
    if (token.kind !== 'option') continue;
    const { rawName: flag, value } = token;
    const setting = byFlag.get(flag);
    if (setting === undefined && flag !== configFile.flag) {
      problems.push(`${flag} is not a flag.${didYouMean(flag, [...byFlag.keys(), configFile.flag])}`);
      if (token.inlineValue !== true) afterUnknown = token.index + 1;
    } else if (value === undefined || (!token.inlineValue && value.startsWith('--'))) {
      problems.push(`${flag} needs a value${setting === undefined ? '' : `: ${setting.allowed}`}.`);
    } else if (setting === undefined) {
      file = value;
    } else {
      given.push({ setting, value: fromText(setting, value), label: flag });
    }
  }
  return { given, problems, ...(file === undefined ? {} : { configFile: file }) };
}
