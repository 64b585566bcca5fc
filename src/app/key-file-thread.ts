import { parentPort, workerData } from 'node:worker_threads';
import { parseKeyFile } from '../config/key-file.js';

/** What the thread is given to read. */
export interface KeyFileText {
  readonly content: string;
  readonly name: string;
}

const { content, name } = workerData as KeyFileText;
parentPort?.postMessage(await parseKeyFile(content, name));
