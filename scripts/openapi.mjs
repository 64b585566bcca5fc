import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { applyOverlay } from './apply-overlay.mjs';
import { openapiMerge, openapiPlugin } from './tools/openapi-generator.mjs';
import { provision } from './tools/provision.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const overlays = join(root, 'openapi/overlays');

/**
 * Writes the OpenAPI document: what the plugin makes of proto/, merged into one, with the overlays of
 * openapi/overlays/ applied in the order of their names.
 *
 * @param {string} path
 * @returns {Promise<string>} empty when done, else why the plugin is not to be had
 * @throws Error where an overlay finds nothing to change
 */
export async function writeOpenapi(path) {
  const plugin = await provision(openapiPlugin);
  if ('unavailable' in plugin) return plugin.unavailable;
  let document = generated(dirname(plugin.path));
  for (const name of readdirSync(overlays).sort()) {
    document = await applyOverlay(document, parse(readFileSync(join(overlays, name), 'utf8')));
  }
  writeFileSync(path, `${JSON.stringify(document, undefined, 2)}\n`);
  return '';
}

function generated(bin) {
  const scratch = mkdtempSync(join(tmpdir(), 'verdict-openapi-'));
  try {
    const buf = join(root, 'node_modules/.bin/buf');
    execFileSync(buf, ['generate', '--template', 'openapi/buf.gen.yaml', '--output', scratch], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    const parts = readdirSync(scratch, { recursive: true }).filter((name) => name.endsWith('.json'));
    return JSON.parse(execFileSync(join(bin, openapiMerge), parts.sort(), { cwd: scratch }));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
