import { CONNECTION_FLAGS } from './connection-flags.js';
import type { FlagValues } from './flags.js';
import { INPUT_FORMATS } from './rows/read-rows.js';

export const CLASSIFY_FLAGS = {
  model: { kind: 'text', value: 'NAME', help: "the model (default: the server's default model)" },
  version: {
    kind: 'text',
    value: 'VERSION',
    help: 'the version of the model, or an alias of one (default: the one that is serving)',
  },
  'top-k': {
    kind: 'number',
    integer: true,
    min: 0,
    value: 'N',
    help: 'labels to show, best first; 0: all (default 1)',
  },
  'min-score': { kind: 'number', value: 'SCORE', help: 'leave out labels that score lower' },
  activation: {
    kind: 'choice',
    choices: ['softmax', 'sigmoid', 'none'],
    help: "how logits become scores (default: the model's own)",
  },
  truncation: {
    kind: 'choice',
    choices: ['end', 'start', 'reject'],
    help: "what happens to texts that are too long (default: the model's own)",
  },
  cache: {
    kind: 'choice',
    choices: ['use', 'bypass', 'refresh'],
    help: "the server's result cache (default use)",
  },
  pair: { kind: 'text', value: 'TEXT', help: 'a second text, classified together with the first' },
  input: {
    kind: 'text',
    value: 'FILE',
    help: 'classify the rows of a .tsv, .csv, .jsonl or .txt file; - is standard input',
  },
  'input-format': {
    kind: 'choice',
    choices: INPUT_FORMATS,
    help: 'the format of the input (default: from the file name; lines for standard input)',
  },
  delimiter: {
    kind: 'text',
    value: 'CHARACTER',
    help: 'the delimiter of a CSV; tab for a tab (default: comma, semicolon, tab or bar, by the first line)',
  },
  encoding: {
    kind: 'text',
    value: 'NAME',
    help: 'the encoding of the input, such as latin1, utf-16le or shift_jis (default utf-8)',
  },
  header: {
    kind: 'choice',
    choices: ['auto', 'yes', 'no'],
    help: 'whether the first row names the columns (default auto: if it holds a known or a chosen name)',
  },
  'text-column': {
    kind: 'text',
    value: 'NAME|N',
    help: 'the column of the text (default: text, sentence, review, ...)',
  },
  'pair-column': {
    kind: 'text',
    value: 'NAME|N',
    help: 'the column of the second text (default: text_pair, sentence2, ...)',
  },
  'label-column': {
    kind: 'text',
    value: 'NAME|N',
    help: 'the column of the expected label (default: label, category, ...)',
  },
  keep: {
    kind: 'list',
    value: 'all|none|NAME,...',
    help: 'columns to copy to the JSON lines in addition to id; none leaves out id too',
  },
  strict: {
    kind: 'switch',
    help: 'stop at the first malformed row, once the rows before it are answered (default: report it and continue)',
  },
  output: {
    kind: 'text',
    value: 'FILE',
    help: 'write the results to a file, as JSON lines; - is standard output',
  },
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  stream: { kind: 'switch', help: 'send everything over one ClassifyStream instead of BatchClassify calls' },
  order: {
    kind: 'choice',
    choices: ['request', 'completion'],
    help: 'with --stream: results in input order, or as each completes (default request)',
  },
  window: {
    kind: 'number',
    integer: true,
    min: 1,
    value: 'N',
    help: 'how many texts may be in flight (default 256)',
  },
  'batch-size': {
    kind: 'number',
    integer: true,
    min: 1,
    value: 'N',
    help: 'without --stream: texts per call (default 32, the default limit of a server)',
  },
  ...CONNECTION_FLAGS,
} as const;

export type ClassifyValues = FlagValues<typeof CLASSIFY_FLAGS>;
