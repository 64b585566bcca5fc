import * as ort from 'onnxruntime-node';
import { BatchTensors, type SentBatch, type SentCells } from './batch-tensors.js';
import { type FixedFeed, type RaggedFeed, sentFeeds, sizeOf } from './feeds.js';
import {
  ContractError,
  checkContract,
  type ModelContract,
  type TensorDeclaration,
} from './model-contract.js';
import { sessionOptions } from './session-options.js';
import type { SessionSpec } from './types.js';

/** An ONNX session in this process. Only the session process imports it. */
export class OnnxSession {
  readonly contract: ModelContract;
  /** Width of the output. */
  readonly labelCount: number;
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession, contract: ModelContract, labelCount: number) {
    this.#session = session;
    this.contract = contract;
    this.labelCount = labelCount;
  }

  /**
   * Pads and runs one batch.
   * @throws ONNX Runtime's error, or one that says how the output's shape is wrong
   */
  async run(
    tensors: BatchTensors,
    batch: SentBatch,
  ): Promise<{ readonly logits: Float32Array; readonly runMs: number }> {
    const feeds = feedsOf(tensors, batch);
    const startedAt = performance.now();
    const outputs = await this.#session.run(feeds, [this.contract.output]);
    const runMs = performance.now() - startedAt;
    const output = outputs[this.contract.output];
    const data = output?.data;
    if (!(data instanceof Float32Array) || data.length !== batch.rows * this.labelCount) {
      throw new Error(
        `the output has the shape [${String(output?.dims)}]; expected [${batch.rows}, ${this.labelCount}]`,
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
 * @throws ContractError; ONNX Runtime's error
 */
export async function openOnnxSession(spec: SessionSpec): Promise<OnnxSession> {
  const session = await ort.InferenceSession.create(spec.modelPath, sessionOptions(spec));
  const contract = checkContract(
    spec.modelPath,
    session.inputMetadata.map(declaration),
    session.outputMetadata.map(declaration),
    spec.feeds,
    spec.labelCount,
  );
  return new OnnxSession(
    session,
    contract,
    contract.labelCount ?? (await probeWidth(session, contract, spec)),
  );
}

/** The width of the output, measured with one row of padding and zeros, for a graph that does not declare it. */
async function probeWidth(
  session: ort.InferenceSession,
  { inputs, output }: ModelContract,
  { modelPath, feeds }: SessionSpec,
): Promise<number> {
  const names = inputs.map(({ feed }) => feed.name);
  const sent = sentFeeds(feeds, names).map((feed) => [feed.name, blankOf(feed)] as const);
  const batch = { rows: 1, width: 1, feeds: new Map(sent) };
  const outputs = await session.run(feedsOf(new BatchTensors(inputs), batch), [output]);
  const dims = outputs[output]?.dims ?? [];
  const [rows, width] = dims;
  if (dims.length === 2 && rows === 1 && width !== undefined && width > 0) return width;
  throw new ContractError(
    `${modelPath}: output "${output}" has the shape [${String(dims)}]; expected [1, labels]`,
  );
}

function blankOf(feed: RaggedFeed | FixedFeed): SentCells {
  return feed.kind === 'ragged'
    ? { lengths: Int32Array.of(1), cells: Int32Array.of(feed.pad) }
    : { lengths: undefined, cells: new Int32Array(sizeOf(feed)) };
}

function feedsOf(tensors: BatchTensors, batch: SentBatch): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  tensors.fill(batch, (name, data, dims) => {
    if (data instanceof Int32Array) feeds[name] = new ort.Tensor('int32', data, dims);
    else if (data instanceof Float32Array) feeds[name] = new ort.Tensor('float32', data, dims);
    else feeds[name] = new ort.Tensor('int64', data, dims);
  });
  return feeds;
}

function declaration(metadata: ort.InferenceSession.ValueMetadata): TensorDeclaration {
  return metadata.isTensor
    ? { name: metadata.name, type: metadata.type, shape: metadata.shape }
    : { name: metadata.name, type: undefined, shape: [] };
}
