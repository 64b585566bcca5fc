import { WEIGHT_FILES } from '../models/weights.js';
import type { Precision } from '../runtime/types.js';
import { SourceError } from './source-error.js';
import type { SourceFile } from './types.js';

/** The files of a model, and where they belong in a version's folder. */
export interface Layout {
  readonly config: SourceFile;
  /** Undefined: only `vocabulary` is there, and a tokenizer is to be made of it. */
  readonly tokenizer: SourceFile | undefined;
  readonly vocabulary: SourceFile | undefined;
  readonly tokenizerConfig: SourceFile | undefined;
  readonly golden: SourceFile | undefined;
  /** `verdict.yaml`. */
  readonly moderation: SourceFile | undefined;
  /** Never empty. */
  readonly weights: readonly LayoutWeights[];
  /** ONNX files that are left where they are. */
  readonly others: readonly SourceFile[];
}

export interface LayoutWeights {
  readonly precision: Precision;
  readonly graph: SourceFile;
  /** In the folder of the version. */
  readonly target: string;
}

/**
 * What the files of each precision are called: by Optimum, by transformers.js and by Sentence Transformers. Names that tell
 * a processor are for that one alone.
 */
const NAMES: Readonly<Record<Precision, readonly string[]>> = {
  fp32: ['model.onnx'],
  int8: [
    'model_quantized.onnx',
    'model_int8.onnx',
    'model_uint8.onnx',
    ...(process.arch === 'arm64' ? ['model_qint8_arm64.onnx'] : ['model_quint8_avx2.onnx']),
  ],
  fp16: ['model_fp16.onnx'],
};

/** In the order in which one of them is taken where nobody says which. */
const PRECISIONS = ['fp32', 'int8', 'fp16'] as const satisfies readonly Precision[];

const WEIGHTS_OF_OTHERS = /(^|\/)(model.*\.safetensors|pytorch_model.*\.bin|tf_model\.h5)$/;

/** Whether the files below a prefix are those of a model. @param prefix empty, or a folder with a slash at its end */
export function holdsModel(files: readonly SourceFile[], prefix: string): boolean {
  const paths = new Set(files.map(({ path }) => path));
  return weightsFolder(paths, prefix) !== undefined;
}

function weightsFolder(paths: { has(path: string): boolean }, prefix: string): string | undefined {
  const names = Object.values(NAMES).flat();
  return [`${prefix}onnx/`, prefix].find((folder) => names.some((name) => paths.has(folder + name)));
}

/**
 * Finds a model among the files of a source: the Hub's layout with its weights in `onnx/`, or Optimum's with all files in
 * one folder.
 *
 * @param wanted the precisions to take; empty: all that `VERDICT_PRECISION=auto` could choose from. Without known answers
 *   that is one.
 * @throws SourceError that says what is missing, and how to get it
 */
export function findLayout(
  source: { readonly name: string; readonly files: readonly SourceFile[] },
  wanted: readonly Precision[],
): Layout {
  const byPath = new Map(source.files.map((file) => [file.path, file]));
  const graphs = source.files.filter(({ path }) => path.endsWith('.onnx'));
  const folder = weightsFolder(byPath, '');
  if (folder === undefined) throw withoutWeights(source, graphs);
  const beside = (name: string) => byPath.get(name) ?? byPath.get(folder + name);
  const config = beside('config.json');
  if (config === undefined) throw new SourceError(`${source.name} holds no config.json`);
  const [tokenizer, vocabulary] = [beside('tokenizer.json'), beside('vocab.txt')];
  if (tokenizer === undefined && vocabulary === undefined) throw withoutTokenizer(source.name);
  const golden = byPath.get('golden.json');
  const there = PRECISIONS.flatMap((precision): LayoutWeights[] => {
    const found = NAMES[precision]
      .map((name) => byPath.get(folder + name))
      .find((file) => file !== undefined);
    return found === undefined ? [] : [{ precision, graph: found, target: WEIGHT_FILES[precision] }];
  });
  const weights = chosen(source.name, there, wanted, golden !== undefined);
  return {
    config,
    tokenizer,
    vocabulary,
    tokenizerConfig: beside('tokenizer_config.json'),
    golden,
    moderation: byPath.get('verdict.yaml'),
    weights,
    others: graphs.filter((file) => !weights.some(({ graph }) => graph === file)),
  };
}

function chosen(
  source: string,
  there: readonly LayoutWeights[],
  wanted: readonly Precision[],
  hasGolden: boolean,
): readonly LayoutWeights[] {
  for (const precision of wanted) {
    if (there.some((weights) => weights.precision === precision)) continue;
    const found = there.map((weights) => weights.precision).join(', ');
    throw new SourceError(`${source} holds no ${precision} weights, only ${found}`);
  }
  if (wanted.length > 0) return there.filter(({ precision }) => wanted.includes(precision));
  return hasGolden ? there : there.slice(0, 1);
}

function withoutWeights(
  { name, files }: { readonly name: string; readonly files: readonly SourceFile[] },
  graphs: readonly SourceFile[],
): SourceError {
  const known = Object.values(NAMES).flat().join(', ');
  const version = files.find(({ path }) => /^[0-9]+\/config\.json$/.test(path))?.path.split('/')[0];
  if (version !== undefined) {
    const example = `${name.replace(/\/+$/, '')}/${version}`;
    return new SourceError(`${name} holds versions of a model: give one of them, such as ${example}`);
  }
  if (graphs.length > 0) {
    const found = graphs.map(({ path }) => path).slice(0, 10);
    return new SourceError(
      `${name} holds ${found.join(', ')}; expected one of ${known}, in onnx/ or beside config.json`,
    );
  }
  const other = files.find(({ path }) => WEIGHTS_OF_OTHERS.test(path));
  if (other === undefined) return new SourceError(`${name} holds no model: expected one of ${known}`);
  const checkpoint = checkpointOf(name);
  const exported = `exported/${checkpoint.split('/').at(-1)}/1`;
  return new SourceError(
    `${name} holds its weights as ${other.path} only, not as ONNX. In a clone of Verdict, export them first:\n` +
      '  pip install -r training/requirements.txt\n' +
      `  python training/export ${checkpoint} --out ${exported}\n` +
      `  npx verdict models add ${exported}`,
  );
}

function withoutTokenizer(name: string): SourceError {
  return new SourceError(
    `${name} holds no tokenizer.json. Transformers writes one, which belongs beside config.json:\n` +
      `  python -c "from transformers import AutoTokenizer as T; T.from_pretrained('${checkpointOf(name)}').save_pretrained('tokenizer')"`,
  );
}

/** What Transformers calls the source: a folder, or the name of a repository. */
function checkpointOf(name: string): string {
  return name.startsWith('hf://') ? name.slice('hf://'.length).replace(/@.*$/, '') : name;
}
