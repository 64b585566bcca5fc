import { outputOf } from '../runtime/model-contract.js';
import type { OnnxGraph, OnnxNode } from './onnx-graph.js';
import type { AppliedActivation } from './types.js';

/** What a graph tells about the answers it gives and the texts it reads. */
export interface GraphFacts {
  /** Width of the output, where the graph declares it. */
  readonly labelCount: number | undefined;
  /** What the graph itself does to its logits; undefined: nothing. */
  readonly activation: AppliedActivation | undefined;
  /** Rows of the table of position embeddings, where one can be told from the other weights by its name. */
  readonly positions: number | undefined;
  /** The padding id that positions are counted from, where the graph counts them so. */
  readonly positionsFromPadId: number | undefined;
}

export function graphFacts(graph: OnnxGraph): GraphFacts {
  const producers = new Map<string, OnnxNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  const output = outputOf([...graph.outputs.keys()]);
  return {
    labelCount: output === undefined ? undefined : labelCountOf(graph.outputs.get(output) ?? []),
    activation: output === undefined ? undefined : activationOf(output, producers),
    positions: positionsOf(graph.weights),
    positionsFromPadId: padIdOf(graph, producers),
  };
}

function labelCountOf(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.length === 2 ? sizes[1] : undefined;
}

/** These change the form of a value, or how its numbers are stored, and nothing else. */
const TRANSPARENT = new Set([
  'Identity',
  'Cast',
  'CastLike',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'QuantizeLinear',
  'DequantizeLinear',
]);

function activationOf(
  output: string,
  producers: ReadonlyMap<string, OnnxNode>,
): AppliedActivation | undefined {
  const last = origin(output, producers, TRANSPARENT);
  if (last?.operator === 'Softmax') return 'softmax';
  return last?.operator === 'Sigmoid' ? 'sigmoid' : undefined;
}

/**
 * Exporters keep the names that the families give the table: `embeddings.position_embeddings.weight`, GPT-2's
 * `wpe.weight`, `embed_positions.weight` of BART and OPT. Relative positions have tables of another kind.
 */
const POSITION_TABLE = /(^|[./])(position_embeddings|embed_positions|wpe|position_embedding)\.weight/;

function positionsOf(weights: ReadonlyMap<string, readonly number[]>): number | undefined {
  for (const [name, dims] of weights) {
    if (dims.length === 2 && POSITION_TABLE.test(name)) return dims[0];
  }
  return undefined;
}

/** On the way from `input_ids` to the running count of RoBERTa's positions: `cumsum(input_ids != pad)`. */
const COMPARES = new Set(['Cast', 'Not', 'Identity', 'Mul']);

function padIdOf(graph: OnnxGraph, producers: ReadonlyMap<string, OnnxNode>): number | undefined {
  for (const { operator, inputs } of graph.nodes) {
    if (operator !== 'CumSum') continue;
    const compared = origin(inputs[0] ?? '', producers, COMPARES);
    if (compared?.operator !== 'Equal' || !compared.inputs.includes('input_ids')) continue;
    const other = compared.inputs.find((name) => name !== 'input_ids') ?? '';
    return graph.constants.get(rootOf(other, producers));
  }
  return undefined;
}

/** The node that made the value, those passed over that `through` names. */
function origin(
  value: string,
  producers: ReadonlyMap<string, OnnxNode>,
  through: ReadonlySet<string>,
): OnnxNode | undefined {
  // A graph has no circles, but a file could.
  for (let node = producers.get(value), steps = 0; node !== undefined && steps < 64; steps++) {
    if (!through.has(node.operator)) return node;
    node = producers.get(node.inputs[0] ?? '');
  }
  return undefined;
}

/** The name that a constant has where it is not merely passed on. */
function rootOf(value: string, producers: ReadonlyMap<string, OnnxNode>): string {
  let name = value;
  for (let steps = 0; steps < 64; steps++) {
    const node = producers.get(name);
    if (node === undefined || !TRANSPARENT.has(node.operator)) break;
    name = node.inputs[0] ?? '';
  }
  return name;
}
