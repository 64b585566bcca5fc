import { configFile, type Knob, knobs } from './knobs.js';

const width = 96;
const indent = ' '.repeat(6);

/** The settings part of `verdict serve --help`. */
export function settingsHelp(): string {
  const head = [
    'Settings come from flags, else from the environment, else from .env in the working directory,',
    'else from the YAML file, else from the defaults.',
    '',
    `  ${configFile.flag} <path>   [${configFile.variable}]`,
    ...wrap(configFile.doc),
  ];
  const sections = new Set(knobs.map(({ section }) => section));
  const body = [...sections].flatMap((name) => {
    const entries = knobs.filter(({ section }) => section === name).flatMap(entry);
    return ['', `${name}:`, ...entries];
  });
  return `${[...head, ...body].join('\n')}\n`;
}

function entry(knob: Knob): string[] {
  const variables = [knob.variable, ...(knob.alias === undefined ? [] : [knob.alias])].join(', ');
  const takes = { int: 'n', choice: 'word', text: 'text' }[knob.kind];
  const facts = `Takes ${knob.allowed}. Default: ${knob.defaultText.replaceAll('`', '')}.`;
  return [`  ${knob.flag} <${takes}>   [${variables}]`, ...wrap(`${knob.doc} ${facts}`)];
}

function wrap(sentence: string): string[] {
  const lines: string[] = [];
  let line = indent.trimEnd();
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > width && line.trim() !== '') {
      lines.push(line);
      line = indent.trimEnd();
    }
    line = line === '' ? indent + word : `${line} ${word}`;
  }
  return [...lines, line];
}
