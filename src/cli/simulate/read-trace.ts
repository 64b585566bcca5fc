import { createReadStream } from 'node:fs';
import type { TracedInput } from '../../simulation/replay.js';
import { parseTraceLine, TraceError } from '../../simulation/trace-line.js';
import { readTrouble } from '../file-trouble.js';
import { readLines } from '../rows/read-lines.js';
import { UsageError } from '../usage-error.js';

/** All lines are held in memory. */
const MAX_LINES = 10_000_000;

/**
 * The arrivals of a trace file, in the order of time.
 *
 * @param model only arrivals of this model; undefined: the file must hold a single model
 * @throws UsageError
 */
export async function readTrace(path: string, model: string | undefined): Promise<TracedInput[]> {
  const arrivals: TracedInput[] = [];
  const models = new Set<string>();
  try {
    for await (const { number, text, problem } of readLines(createReadStream(path))) {
      if (number > MAX_LINES) throw new UsageError(`--trace takes at most ${MAX_LINES} lines`);
      if (problem !== undefined) throw new UsageError(`--trace: line ${number} ${problem}`);
      if (text === '') continue;
      const parsed = parseTraceLine(text, number);
      if (parsed.model !== undefined) models.add(parsed.model);
      if (model === undefined || parsed.model === undefined || parsed.model === model) {
        arrivals.push(parsed.arrival);
      }
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof TraceError) throw new UsageError(error.message, { cause: error });
    throw readTrouble(path, error);
  }
  if (model === undefined && models.size > 1) {
    throw new UsageError(
      `the trace holds several models; choose one with --model (${[...models].join(', ')})`,
    );
  }
  if (arrivals.length === 0) throw new UsageError('the trace holds no arrivals');
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}
