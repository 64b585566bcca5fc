import { configFile, type Setting, settings } from './settings.js';

const width = 96;
const indent = ' '.repeat(6);

/** The settings part of `verdict serve --help`. */
export function settingsHelp(): string {
  const head = [
    'A flag wins over an environment variable, a variable over .env in the working directory, .env over',
    'the YAML file, and the file over the default.',
    '',
    `  ${configFile.flag} <path>   [${configFile.variable}]`,
    ...wrap(configFile.doc),
  ];
  const sections = new Set(settings.map(({ section }) => section));
  const body = [...sections].flatMap((name) => {
    const entries = settings.filter(({ section }) => section === name).flatMap(entry);
    return ['', `${name}:`, ...entries];
  });
  return `${[...head, ...body].join('\n')}\n`;
}

function entry(setting: Setting): string[] {
  const variables = [setting.variable, ...(setting.alias === undefined ? [] : [setting.alias])].join(', ');
  const takes = { int: 'n', number: 'n', choice: 'word', text: 'text' }[setting.kind];
  const facts = `Takes ${setting.allowed}. Default: ${setting.defaultText.replaceAll('`', '')}.`;
  return [`  ${setting.flag} <${takes}>   [${variables}]`, ...wrap(`${setting.doc} ${facts}`)];
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
