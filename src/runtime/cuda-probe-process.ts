import * as ort from 'onnxruntime-node';
import type { CudaProbe } from './types.js';

/*
 * Entry of a process that answers one question: can ONNX Runtime compute on CUDA device number argv[2]? It runs
 * y = x + x there, a graph of one node, with the CPU fallback disabled. The answer goes to stdout as JSON.
 */
const DOUBLE = 'CAgSADo1Cg4KAXgKAXgSAXkiA0FkZBIBcFoPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

async function probe(deviceId: number): Promise<CudaProbe> {
  try {
    const session = await ort.InferenceSession.create(Buffer.from(DOUBLE, 'base64'), {
      executionProviders: [{ name: 'cuda', deviceId }],
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    const { y } = await session.run({ x: new ort.Tensor('float32', [21], [1]) });
    await session.release();
    return y?.data[0] === 42 ? { usable: true } : { usable: false, reason: 'it computes wrong results' };
  } catch (error) {
    return { usable: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

process.stdout.write(JSON.stringify(await probe(Number(process.argv[2]))));
