import type { TestContext } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { perturbHead } from './perturbed-head.js';
import { PublishedModels } from './published-models.js';
import type { ServerProcess } from './server-process.js';

/** Both versions serve. In int8 the other inputs of a batch would move an answer a little. */
export const bothServe = { VERDICT_MODEL_VERSIONS: 'all', VERDICT_PRECISION: 'fp32' };

/** The label of `topics` that is perturbed: the last one. */
const FOOD = 3;
const words = ['team', 'match', 'law', 'coach', 'phone', 'bread', 'vote', 'goal', 'soup', 'chip'];

/** Texts that nobody has asked before, if `from` goes on. */
export function freshTexts(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => {
    const word = (place: number) => words[Math.floor((from + at) / 10 ** place) % 10];
    return `the ${word(0)} and the ${word(1)} ${word(2)} ${from + at}`;
  });
}

/** A client that is closed with the test. */
export function clientOf(t: TestContext, { address }: ServerProcess): VerdictClient {
  const client = new VerdictClient({ address, retry: false });
  t.after(() => client.close());
  return client;
}

export interface TwoVersions {
  readonly models: PublishedModels;
  readonly server: ServerProcess;
  readonly client: VerdictClient;
}

/**
 * A server over two versions of `topics`, of which the first gets the traffic.
 * @param by how much more the second one likes food, in logits
 */
export async function serveTwoVersions(
  t: TestContext,
  by: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<TwoVersions> {
  const models = await PublishedModels.create(t);
  await models.publish('topics/1', 'topics');
  await models.publish('topics/2', 'topics', (folder) => likeFood(folder, by));
  const server = await models.serve(t, 'topics', { ...bothServe, ...settings });
  const client = clientOf(t, server);
  await client.setTraffic('topics', [{ version: '1', percent: 100 }]);
  return { models, server, client };
}

/** Makes a version of `topics` like food more, by so many logits. */
export async function likeFood(folder: string, by: number): Promise<void> {
  if (by !== 0) await perturbHead(folder, FOOD, by);
}
