import type { Feed } from './feeds.js';

/** A tensor of the model as its file declares it; a subset of ONNX Runtime's metadata. */
export interface TensorDeclaration {
  readonly name: string;
  /** `int64`, `float32`; undefined: not a tensor. */
  readonly type: string | undefined;
  /** Numbers are fixed sizes, strings are dynamic ones. Empty: not declared. */
  readonly shape: readonly (number | string)[];
}

export type InputType = 'int32' | 'int64' | 'float32';

/** An input of the graph, what fills it, and the type that it takes. */
export interface ContractInput {
  readonly feed: Feed;
  readonly type: InputType;
}

/** The inputs to feed and the output to read. */
export interface ModelContract {
  readonly inputs: readonly ContractInput[];
  readonly output: string;
  /** Width of the output, if declared. */
  readonly labelCount: number | undefined;
}

/** The model does not accept the available feeds, or its output is not that of a classifier. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
}

/** The output to read: the one named `logits`, or the only one. */
export function outputOf(names: readonly string[]): string | undefined {
  return names.includes('logits') ? 'logits' : names.length === 1 ? names[0] : undefined;
}

/**
 * Checks a model's inputs and outputs against what the service feeds and reads.
 * @param feeds the available feeds; the model must take the first one
 * @param labelCount undefined: not known, any width is accepted
 * @throws ContractError that names the file, the input or output, and the expectation
 */
export function checkContract(
  modelPath: string,
  inputs: readonly TensorDeclaration[],
  outputs: readonly TensorDeclaration[],
  feeds: readonly Feed[],
  labelCount: number | undefined,
): ModelContract {
  const fail = (what: string): never => {
    throw new ContractError(`${modelPath}: ${what}`);
  };
  const found = inputs.map((input): ContractInput => {
    const feed = feeds.find(({ name }) => name === input.name);
    if (feed === undefined) {
      return fail(`input "${input.name}" is unknown; expected a subset of ${names(feeds)}`);
    }
    const { type = 'not a tensor' } = input;
    const takes = feed.kind === 'fixed' ? FLOATING : WHOLE;
    const taken = takes.find((known) => known === type);
    if (taken === undefined) return fail(`input "${input.name}" is ${type}; expected ${takes.join(' or ')}`);
    if (input.shape.length > 0 && !fits(input.shape, feed)) {
      return fail(
        `input "${input.name}" has the shape ${shown(input.shape)}; expected ${expectedShape(feed)}`,
      );
    }
    return { feed, type: taken };
  });
  const [first] = feeds;
  if (!inputs.some(({ name }) => name === first?.name)) {
    fail(`input "${first?.name}" is missing; the inputs are: ${names(inputs)}`);
  }
  return { inputs: found, ...checkOutput(outputs, labelCount, fail) };
}

const WHOLE = ['int64', 'int32'] as const;
const FLOATING = ['float32'] as const;

/** A dynamic size accepts any size. */
function fits(declared: readonly (number | string)[], feed: Feed): boolean {
  if (feed.kind !== 'fixed')
    return declared.length === 2 && declared.every((size) => typeof size === 'string');
  const [batch, ...rest] = declared;
  return (
    typeof batch === 'string' &&
    rest.length === feed.shape.length &&
    rest.every((size, index) => typeof size === 'string' || size === feed.shape[index])
  );
}

function expectedShape(feed: Feed): string {
  return feed.kind === 'fixed'
    ? `[batch, ${feed.shape.join(', ')}], the batch dynamic`
    : '[batch, sequence], both dynamic';
}

function checkOutput(
  outputs: readonly TensorDeclaration[],
  labelCount: number | undefined,
  fail: (what: string) => never,
): Pick<ModelContract, 'output' | 'labelCount'> {
  const wanted = outputOf(outputs.map(({ name }) => name));
  const output = outputs.find(({ name }) => name === wanted);
  if (output === undefined) {
    return fail(`output "logits" is missing; the outputs are: ${names(outputs)}`);
  }
  if (output.type !== 'float32') {
    // What `model.half()` gives. The command keeps fp16 inside the graph.
    const remedy =
      output.type === 'float16'
        ? '. Export it with fp32 inputs and outputs: python training/export, or keep_io_types=True'
        : '';
    return fail(`output "${output.name}" is ${output.type ?? 'not a tensor'}; expected float32${remedy}`);
  }
  const [batch, width] = output.shape;
  const known = output.shape.length > 0;
  if (known && (output.shape.length !== 2 || typeof batch === 'number')) {
    return fail(`output "${output.name}" has the shape ${shown(output.shape)}; expected [batch, labels]`);
  }
  if (typeof width === 'number' && labelCount !== undefined && width !== labelCount) {
    return fail(`output "${output.name}" is ${width} wide; expected ${labelCount}, one for each label`);
  }
  return { output: output.name, labelCount: typeof width === 'number' ? width : labelCount };
}

function shown(shape: readonly (number | string)[]): string {
  return `[${shape.map((size) => size || '?').join(', ')}]`;
}

function names(tensors: readonly { readonly name: string }[]): string {
  return tensors.map(({ name }) => name).join(', ') || 'none';
}
