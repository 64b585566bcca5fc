/** A tensor of the model as its file declares it; a subset of what ONNX Runtime tells. */
export interface TensorDeclaration {
  readonly name: string;
  /** `int64`, `float32`; undefined: not a tensor. */
  readonly type: string | undefined;
  /** Numbers are fixed sizes, strings are dynamic ones. Empty: not declared. */
  readonly shape: readonly (number | string)[];
}

export const INPUT_NAMES = ['input_ids', 'attention_mask', 'token_type_ids'] as const;
export type InputName = (typeof INPUT_NAMES)[number];
export type InputType = 'int32' | 'int64';

/** What is fed to the model and what is read from it. */
export interface ModelContract {
  readonly inputs: readonly { readonly name: InputName; readonly type: InputType }[];
  readonly output: string;
  /** Width of the output, where it is declared. */
  readonly labelCount: number | undefined;
}

/** The model's file cannot be fed or read as a text classifier. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
}

/** The output that is read: the one named `logits`, or the only one there is. */
export function outputOf(names: readonly string[]): string | undefined {
  return names.includes('logits') ? 'logits' : names.length === 1 ? names[0] : undefined;
}

/**
 * Checks a model's inputs and outputs against what the service feeds and reads.
 * @param labelCount undefined: not known, any width will do
 * @throws ContractError that names the file, the input or output, and the expectation
 */
export function checkContract(
  modelPath: string,
  inputs: readonly TensorDeclaration[],
  outputs: readonly TensorDeclaration[],
  labelCount: number | undefined,
): ModelContract {
  const fail = (what: string): never => {
    throw new ContractError(`${modelPath}: ${what}`);
  };
  const found = inputs.map((input): { name: InputName; type: InputType } => {
    const name = INPUT_NAMES.find((known) => known === input.name);
    if (name === undefined) {
      return fail(`input "${input.name}" is unknown; expected a subset of ${INPUT_NAMES.join(', ')}`);
    }
    if (input.type !== 'int32' && input.type !== 'int64') {
      return fail(`input "${name}" is ${input.type ?? 'not a tensor'}; expected int64 or int32`);
    }
    if (input.shape.length > 0 && !isDynamic(input.shape)) {
      return fail(
        `input "${name}" has the shape ${shown(input.shape)}; expected [batch, sequence], both dynamic`,
      );
    }
    return { name, type: input.type };
  });
  if (!found.some((input) => input.name === 'input_ids')) {
    fail(`input "input_ids" is missing; the inputs are: ${names(inputs)}`);
  }
  return { inputs: found, ...checkOutput(outputs, labelCount, fail) };
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
    return fail(`output "${output.name}" is ${output.type ?? 'not a tensor'}; expected float32`);
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

function isDynamic(shape: readonly (number | string)[]): boolean {
  return shape.length === 2 && shape.every((size) => typeof size === 'string');
}

function shown(shape: readonly (number | string)[]): string {
  return `[${shape.map((size) => size || '?').join(', ')}]`;
}

function names(tensors: readonly TensorDeclaration[]): string {
  return tensors.map(({ name }) => name).join(', ') || 'none';
}
