import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Field, ProtobufFile } from '../../src/models/protobuf-file.js';

/** Field numbers of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_NAME = 8;
const TENSOR_RAW = 9;

/**
 * Makes a version answer differently: adds to the bias of one label in all its graphs. Its known answers hold no more, and go.
 * @param label position of the label
 */
export async function perturbHead(folder: string, label: number, by: number): Promise<void> {
  await rm(join(folder, 'golden.json'));
  const graphs = (await readdir(join(folder, 'onnx'))).filter((name) => name.endsWith('.onnx'));
  for (const name of graphs) await addToBias(join(folder, 'onnx', name), label, by);
}

async function addToBias(path: string, label: number, by: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const file = new ProtobufFile(handle);
    const { size } = await handle.stat();
    const graph = await find(file, { start: 0, end: size }, async ({ number }) => number === MODEL_GRAPH);
    const bias = await find(file, graph, async (field) => {
      if (field.number !== GRAPH_INITIALIZER) return false;
      const called = await find(file, field, async ({ number }) => number === TENSOR_NAME);
      return (await file.read(called)).toString() === 'model.classifier.bias';
    });
    const raw = await find(file, bias, async ({ number }) => number === TENSOR_RAW);
    const values = Buffer.from(await file.read(raw));
    values.writeFloatLE(values.readFloatLE(4 * label) + by, 4 * label);
    await handle.write(values, 0, values.length, raw.start);
  } finally {
    await handle.close();
  }
}

async function find(
  file: ProtobufFile,
  within: Pick<Field, 'start' | 'end'>,
  isMeant: (field: Field) => Promise<boolean>,
): Promise<Field> {
  for await (const field of file.fields(within.start, within.end)) if (await isMeant(field)) return field;
  throw new Error('the graph has no such part');
}
