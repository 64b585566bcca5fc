import { open } from 'node:fs/promises';
import { type Field, ProtobufFile } from './protobuf-file.js';

/** One operator: what it reads and writes, by the names of the values. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What an ONNX file says of itself, its weights left unread. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Sizes of the graph's outputs by name; undefined: a dynamic size. */
  readonly outputs: ReadonlyMap<string, readonly (number | undefined)[]>;
  /** Sizes of the weights by name. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  /** Whole numbers that the graph holds as constants of one element, by name. */
  readonly constants: ReadonlyMap<string, number>;
  /** Files that hold weights of their own, as the graph names them: relative to its folder. */
  readonly externalFiles: readonly string[];
}

/** Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, which only grows. */
const MODEL = { graph: 7, functions: 25 } as const;
const FUNCTION = { node: 7 } as const;
const GRAPH = { node: 1, initializer: 5, output: 12, sparseInitializer: 15 } as const;
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { integer: 3, tensor: 5, graph: 6, tensors: 10, graphs: 11 } as const;
const SPARSE = { values: 1, indices: 2 } as const;
const TENSOR = { dims: 1, dataType: 2, int32s: 5, int64s: 7, name: 8, raw: 9, externalData: 13 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { shape: 2 } as const;
const SHAPE = { dim: 1 } as const;
const DIM = { value: 1 } as const;
const DATA_TYPE = { int32: 6, int64: 7 } as const;

/** Subgraphs (If, Loop) may hold subgraphs. Real models nest two or three deep. */
const MOST_NESTED = 16;

/** @throws the file system's error; Error in words for a file that is no ONNX model */
export async function readOnnxGraph(path: string): Promise<OnnxGraph> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    return await new GraphReader(new ProtobufFile(handle)).read(size);
  } finally {
    await handle.close();
  }
}

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly value: number | undefined;
}

class GraphReader {
  readonly #file: ProtobufFile;
  readonly #nodes: OnnxNode[] = [];
  readonly #outputs = new Map<string, readonly (number | undefined)[]>();
  readonly #weights = new Map<string, readonly number[]>();
  readonly #constants = new Map<string, number>();
  readonly #externalFiles = new Set<string>();

  constructor(file: ProtobufFile) {
    this.#file = file;
  }

  async read(size: number): Promise<OnnxGraph> {
    let found = false;
    for await (const field of this.#file.fields(0, size)) {
      if (field.number === MODEL.graph) {
        found = true;
        await this.#graph(field, 0);
      } else if (field.number === MODEL.functions) {
        for await (const part of this.#inside(field)) {
          if (part.number === FUNCTION.node) await this.#node(part, 1);
        }
      }
    }
    if (!found) throw new Error('is no ONNX model: it holds no graph');
    return {
      nodes: this.#nodes,
      outputs: this.#outputs,
      weights: this.#weights,
      constants: this.#constants,
      externalFiles: [...this.#externalFiles],
    };
  }

  async #graph(graph: Field, depth: number): Promise<void> {
    if (depth > MOST_NESTED) throw new Error(`nests graphs more than ${MOST_NESTED} deep`);
    for await (const field of this.#inside(graph)) {
      if (field.number === GRAPH.node) await this.#node(field, depth);
      else if (field.number === GRAPH.initializer) await this.#initializer(field);
      else if (field.number === GRAPH.sparseInitializer) await this.#sparse(field);
      else if (field.number === GRAPH.output && depth === 0) await this.#output(field);
    }
  }

  async #node(node: Field, depth: number): Promise<void> {
    const inputs: string[] = [];
    const outputs: string[] = [];
    let operator = '';
    let value: number | undefined;
    for await (const field of this.#inside(node)) {
      if (field.number === NODE.input) inputs.push(await this.#text(field));
      else if (field.number === NODE.output) outputs.push(await this.#text(field));
      else if (field.number === NODE.operator) operator = await this.#text(field);
      else if (field.number === NODE.attribute) value = (await this.#attribute(field, depth)) ?? value;
    }
    const [output] = outputs;
    if (operator === 'Constant' && value !== undefined && output !== undefined) {
      this.#constants.set(output, value);
    }
    // Nodes of subgraphs have names of their own: they would be taken for the main graph's.
    if (depth === 0) this.#nodes.push({ operator, inputs, outputs });
  }

  /** The whole number that the attribute holds, if it is one. */
  async #attribute(attribute: Field, depth: number): Promise<number | undefined> {
    let value: number | undefined;
    for await (const field of this.#inside(attribute)) {
      if (field.number === ATTRIBUTE.integer) value = field.varint;
      else if (field.number === ATTRIBUTE.tensor) value = (await this.#tensor(field)).value;
      else if (field.number === ATTRIBUTE.tensors) await this.#tensor(field);
      else if (field.number === ATTRIBUTE.graph || field.number === ATTRIBUTE.graphs) {
        await this.#graph(field, depth + 1);
      }
    }
    return value;
  }

  async #initializer(initializer: Field): Promise<void> {
    const { name, dims, value } = await this.#tensor(initializer);
    this.#weights.set(name, dims);
    if (value !== undefined) this.#constants.set(name, value);
  }

  async #sparse(sparse: Field): Promise<void> {
    for await (const field of this.#inside(sparse)) {
      if (field.number === SPARSE.values || field.number === SPARSE.indices) await this.#tensor(field);
    }
  }

  async #tensor(tensor: Field): Promise<Tensor> {
    const dims: number[] = [];
    let name = '';
    let dataType = 0;
    let data: Field | undefined;
    for await (const field of this.#inside(tensor)) {
      if (field.number === TENSOR.dims) for (const dim of await this.#integers(field)) dims.push(dim);
      else if (field.number === TENSOR.dataType) dataType = field.varint ?? 0;
      else if (field.number === TENSOR.name) name = await this.#text(field);
      else if (field.number === TENSOR.externalData) await this.#external(field);
      else if (
        field.number === TENSOR.raw ||
        field.number === TENSOR.int64s ||
        field.number === TENSOR.int32s
      ) {
        data = field;
      }
    }
    const isSingle = dims.every((size) => size === 1);
    const value = isSingle && data !== undefined ? await this.#single(data, dataType) : undefined;
    return { name, dims, value };
  }

  async #single(data: Field, dataType: number): Promise<number | undefined> {
    if (data.number !== TENSOR.raw) return (await this.#integers(data))[0];
    const bytes = await this.#file.read(data);
    if (dataType === DATA_TYPE.int64 && bytes.length === 8) return Number(bytes.readBigInt64LE());
    if (dataType === DATA_TYPE.int32 && bytes.length === 4) return bytes.readInt32LE();
    return undefined;
  }

  async #external(entry: Field): Promise<void> {
    let key = '';
    let value = '';
    for await (const field of this.#inside(entry)) {
      if (field.number === ENTRY.key) key = await this.#text(field);
      else if (field.number === ENTRY.value) value = await this.#text(field);
    }
    if (key === 'location') this.#externalFiles.add(value);
  }

  async #output(output: Field): Promise<void> {
    let name = '';
    const sizes: (number | undefined)[] = [];
    for await (const field of this.#inside(output)) {
      if (field.number === VALUE.name) name = await this.#text(field);
      else if (field.number === VALUE.type) {
        for await (const dim of this.#descend(field, [TYPE.tensor, TENSOR_TYPE.shape, SHAPE.dim])) {
          let size: number | undefined;
          for await (const part of this.#inside(dim)) if (part.number === DIM.value) size = part.varint;
          sizes.push(size);
        }
      }
    }
    this.#outputs.set(name, sizes);
  }

  /** The fields at the end of a path of field numbers. */
  async *#descend(from: Field, [number, ...rest]: readonly number[]): AsyncGenerator<Field> {
    for await (const field of this.#inside(from)) {
      if (field.number !== number) continue;
      if (rest.length === 0) yield field;
      else yield* this.#descend(field, rest);
    }
  }

  /** A repeated integer comes packed, or one field for each. */
  async #integers(field: Field): Promise<number[]> {
    if (field.varint !== undefined) return [field.varint];
    const values: number[] = [];
    let value = 0;
    let scale = 1;
    for (const byte of await this.#file.read(field)) {
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      values.push(value);
      value = 0;
      scale = 1;
    }
    return values;
  }

  async #text(field: Field): Promise<string> {
    return (await this.#file.read(field)).toString();
  }

  #inside({ start, end }: Field): AsyncGenerator<Field> {
    return this.#file.fields(start, end);
  }
}
