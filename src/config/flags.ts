import { parseArgs } from 'node:util';
import { fromText, type Given, type SourceReading } from './given.js';
import { configFile, knobs } from './knobs.js';
import { didYouMean } from './nearest.js';

const byFlag = new Map(knobs.map((knob) => [knob.flag, knob]));
const options = Object.fromEntries(
  [...byFlag.keys(), configFile.flag].map((flag) => [flag.slice(2), { type: 'string' as const }]),
);

/** Reads `--name value` and `--name=value`. Given twice, the last one counts. */
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
    // What follows an unknown flag is most likely its value, and the flag has been told of.
    if (token.kind === 'positional' && token.index !== afterUnknown) {
      problems.push(`Unexpected argument ${JSON.stringify(token.value)}.`);
    }
    if (token.kind !== 'option') continue;
    const { rawName: flag, value } = token;
    const knob = byFlag.get(flag);
    if (knob === undefined && flag !== configFile.flag) {
      problems.push(`${flag} is not a flag.${didYouMean(flag, [...byFlag.keys(), configFile.flag])}`);
      if (token.inlineValue !== true) afterUnknown = token.index + 1;
    } else if (value === undefined || (!token.inlineValue && value.startsWith('--'))) {
      problems.push(`${flag} needs a value${knob === undefined ? '' : `: ${knob.allowed}`}.`);
    } else if (knob === undefined) {
      file = value;
    } else {
      given.push({ knob, value: fromText(knob, value), label: flag });
    }
  }
  return { given, problems, ...(file === undefined ? {} : { configFile: file }) };
}
