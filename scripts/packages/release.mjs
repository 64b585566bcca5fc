/** Where the version of each package is written, besides package-lock.json, which npm keeps. */
const places = {
  'package.json': /"version": "([^"]+)"/,
  'clients/typescript/package.json': /"version": "([^"]+)"/,
  'clients/python/pyproject.toml': /^version = "([^"]+)"/m,
};

/**
 * The packages that have another version.
 *
 * @param {string} version
 * @param {(path: string) => string} read a file of the clone
 * @returns {{ path: string, found: string }[]}
 */
export function otherVersions(version, read) {
  return Object.entries(places)
    .map(([path, pattern]) => ({ path, found: pattern.exec(read(path))?.[1] ?? 'none' }))
    .filter(({ found }) => found !== version);
}

/**
 * What the changelog says of a version, without its heading; empty where it says nothing.
 *
 * @param {string} changelog
 * @param {string} version
 */
export function sectionOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((section) => section.split(/\s/, 1)[0] === version);
  return found === undefined ? '' : found.slice(found.indexOf('\n')).trim();
}
