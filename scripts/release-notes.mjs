// Prints the section of CHANGELOG.md for a version. Ends with 1 where there is none, or where a package has another version.
//   node scripts/release-notes.mjs v1.2.3
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { otherVersions, sectionOf } from './packages/release.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

const [tag = ''] = process.argv.slice(2);
const version = /^v(\d+\.\d+\.\d+)$/.exec(tag)?.[1];
if (version === undefined) {
  console.error(`the tag must be vX.Y.Z; it is "${tag}"`);
  process.exit(2);
}
const others = otherVersions(version, read);
const section = sectionOf(read('CHANGELOG.md'), version);
for (const { path, found } of others) console.error(`${path} has version ${found}, not ${version}`);
if (section === '') console.error(`CHANGELOG.md has nothing under "## ${version}"`);
if (others.length > 0 || section === '') process.exit(1);
console.log(section);
