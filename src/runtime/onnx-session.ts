import * as ort from 'onnxruntime-node';
import type { BatchTensors, RaggedBatch } from './batch-tensors.js';
import { checkContract, type ModelContract, type TensorDeclaration } from './model-contract.js';
import { sessionOptions } from './session-options.js';
import type { SessionSpec } from './types.js';

/** An ONNX session in this process: what the session process runs, and nobody else imports. */
export class OnnxSession {
  readonly contract: ModelContract;
  readonly #session: ort.InferenceSession;
  readonly #labelCount: number;

  constructor(session: ort.InferenceSession, contract: ModelContract, labelCount: number) {
    this.#session = session;
    this.contract = contract;
    this.#labelCount = labelCount;
  }

  /**
   * Pads and runs one batch.
   * @throws Error in ONNX Runtime's words, or one that says how the output's shape is wrong
   */
  async run(
    tensors: BatchTensors,
    batch: RaggedBatch,
  ): Promise<{ readonly logits: Float32Array; readonly runMs: number }> {
    const feeds: Record<string, ort.Tensor> = {};
    const dims = [batch.rows, batch.width];
    tensors.fill(batch, (name, data) => {
      feeds[name] =
        data instanceof Int32Array
          ? new ort.Tensor('int32', data, dims)
          : new ort.Tensor('int64', data, dims);
    });
    const startedAt = performance.now();
    const outputs = await this.#session.run(feeds, [this.contract.output]);
    const runMs = performance.now() - startedAt;
    const output = outputs[this.contract.output];
    const data = output?.data;
    if (!(data instanceof Float32Array) || data.length !== batch.rows * this.#labelCount) {
      throw new Error(
        `the output has the shape [${String(output?.dims)}]; expected [${batch.rows}, ${this.#labelCount}]`,
      );
    }
    return { logits: data, runMs };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/**
 * Loads the model and checks its contract.
 * @throws ContractError; Error in ONNX Runtime's words
 */
export async function openOnnxSession(spec: SessionSpec): Promise<OnnxSession> {
  const session = await ort.InferenceSession.create(spec.modelPath, sessionOptions(spec));
  const contract = checkContract(
    spec.modelPath,
    session.inputMetadata.map(declaration),
    session.outputMetadata.map(declaration),
    spec.labelCount,
  );
  return new OnnxSession(session, contract, spec.labelCount);
}

function declaration(metadata: ort.InferenceSession.ValueMetadata): TensorDeclaration {
  return metadata.isTensor
    ? { name: metadata.name, type: metadata.type, shape: metadata.shape }
    : { name: metadata.name, type: undefined, shape: [] };
}
