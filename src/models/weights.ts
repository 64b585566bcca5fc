import { access } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { Precision } from '../runtime/types.js';
import { type GraphFacts, graphFacts } from './graph-facts.js';
import { refuseLfsPointer } from './lfs-pointer.js';
import { ModelLoadError } from './model-load-error.js';
import { type OnnxGraph, readOnnxGraph } from './onnx-graph.js';
import { WeightFile } from './weight-file.js';

/** Where the Hub's naming puts the weights of each precision. */
export const WEIGHT_FILES = {
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
  int8: 'onnx/model_quantized.onnx',
} as const satisfies Record<Precision, string>;

/** The weights of one precision. */
export interface Weights {
  /** The ONNX file, as an absolute path. */
  readonly path: string;
  /** That file, and those beside it that hold a part of the weights. */
  readonly files: readonly WeightFile[];
  /** What the graph tells; nothing where it cannot be read. */
  readonly facts: Partial<GraphFacts>;
  /** Why the weights cannot be used; undefined: nothing is known against them. */
  readonly problem: ModelLoadError | undefined;
}

/**
 * The precisions that the folder holds. A file that cannot be used counts as held, with its problem: the others may do.
 * @throws ModelLoadError where there are none
 */
export async function findWeights(directory: string): Promise<Partial<Record<Precision, Weights>>> {
  const found: Partial<Record<Precision, Weights>> = {};
  for (const [precision, file] of Object.entries(WEIGHT_FILES) as [Precision, string][]) {
    const path = join(directory, file);
    const present = await access(path).then(
      () => true,
      () => false,
    );
    if (present) found[precision] = await readWeights(path);
  }
  if (Object.keys(found).length === 0) {
    throw new ModelLoadError(directory, `holds none of ${Object.values(WEIGHT_FILES).join(', ')}`);
  }
  return found;
}

async function readWeights(path: string): Promise<Weights> {
  try {
    await refuseLfsPointer(path);
    // Recorded before it is read, so that what the graph says holds for the file that sessions open.
    const files = [await WeightFile.record(path)];
    const graph = await readGraph(path);
    for (const file of graph.externalFiles) {
      const external = externalPath(path, file);
      await refuseLfsPointer(external);
      files.push(await WeightFile.record(external));
    }
    return { path, files, facts: graphFacts(graph), problem: undefined };
  } catch (error) {
    if (!(error instanceof ModelLoadError)) throw error;
    return { path, files: [], facts: {}, problem: error };
  }
}

/** @throws ModelLoadError for a file that holds no model */
export async function readGraph(path: string): Promise<OnnxGraph> {
  try {
    return await readOnnxGraph(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelLoadError(path, `is not a readable ONNX file (${reason}): export or copy it again`, error);
  }
}

/** Call this once a session is open. @throws ModelLoadError if the weights have changed since they were found */
export async function ensureUnchanged({ files }: Weights): Promise<void> {
  await Promise.all(files.map((file) => file.ensureUnchanged()));
}

/**
 * ONNX names such files from the folder of the graph.
 * @throws ModelLoadError for one outside it
 */
export function externalPath(graphPath: string, file: string): string {
  if (isAbsolute(file) || normalize(file).startsWith('..')) {
    throw new ModelLoadError(graphPath, `keeps weights in ${file}, outside its folder`);
  }
  return join(dirname(graphPath), file);
}
