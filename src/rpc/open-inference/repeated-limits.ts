import type { RepeatedLimits } from '../message-fields.js';

/** Tensors in one request, of which two inputs and four outputs have a meaning. */
export const maxTensors = 16;
/** Parameters of a request or a tensor. */
export const maxParameters = 64;
/** Sizes in a shape; on the wire, where they are packed, bytes of all of them. */
export const maxShape = 32;

const request = 'inference.ModelInferRequest';
const contents = 'inference.InferTensorContents';

/** How many elements the repeated fields of the Open Inference Protocol may have. Tensors of numbers are refused once they are read. */
export function openInferenceLimits(maxBatchInputs: number): RepeatedLimits {
  return {
    [`${request}.parameters`]: maxParameters,
    'inference.RepositoryModelLoadRequest.parameters': maxParameters,
    'inference.RepositoryModelUnloadRequest.parameters': maxParameters,
    [`${request}.inputs`]: maxTensors,
    [`${request}.outputs`]: maxTensors,
    [`${request}.raw_input_contents`]: maxTensors,
    [`${request}.InferInputTensor.shape`]: maxShape,
    [`${request}.InferInputTensor.parameters`]: maxParameters,
    [`${request}.InferRequestedOutputTensor.parameters`]: maxParameters,
    [`${contents}.bool_contents`]: maxBatchInputs,
    [`${contents}.int_contents`]: maxBatchInputs,
    [`${contents}.int64_contents`]: maxBatchInputs,
    [`${contents}.uint_contents`]: maxBatchInputs,
    [`${contents}.uint64_contents`]: maxBatchInputs,
    [`${contents}.fp32_contents`]: maxBatchInputs,
    [`${contents}.fp64_contents`]: maxBatchInputs,
    [`${contents}.bytes_contents`]: maxBatchInputs,
  };
}
