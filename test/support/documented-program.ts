import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/**
 * The only block of that language in docs/clients.md, or the only one that has the words.
 * @param words with which it begins, or a pattern that is somewhere in it
 * @throws AssertionError if there is none, or more than one
 */
export function documentedProgram(language: string, words: string | RegExp = ''): string {
  const page = readFileSync(join(repositoryRoot, 'docs/clients.md'), 'utf8');
  const blocks = Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')),
    ([, block = '']) => block,
  );
  const [found = '', ...others] = blocks.filter((block) =>
    typeof words === 'string' ? block.startsWith(words) : words.test(block),
  );
  assert.ok(found !== '' && others.length === 0, `docs/clients.md has one ${language} program ${words}`);
  return found;
}
