import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';
import { temporaryFolder } from './temporary-folder.js';

/** A models folder with the fixture `topics`, whose `verdict.yaml` holds this. */
export async function moderatorFolder(
  t: { after(step: () => void): unknown },
  verdictYaml: string | undefined,
): Promise<string> {
  const folder = temporaryFolder(t);
  await cp(join(repositoryRoot, 'test/fixtures/models/topics'), join(folder, 'topics'), { recursive: true });
  if (verdictYaml !== undefined) await writeFile(join(folder, 'topics/1/verdict.yaml'), verdictYaml);
  return folder;
}

/** Sports is violence, politics is hate, and nothing is sexual. */
export const moderationOfTopics = `moderation:
  categories:
    violence: { labels: [sports] }
    hate: { labels: [politics, technology], threshold: 0.9 }
    trivia: { labels: [food], threshold: 0.9 }
`;
