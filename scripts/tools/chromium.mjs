import { findTool } from './find-tool.mjs';

/**
 * A Chromium or Chrome on the PATH. It is not fetched where there is none: it is ten times the size of all other tools.
 *
 * @returns {Promise<string | undefined>}
 */
export async function findChromium() {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const path = await findTool(name, ['--version']);
    if (path !== undefined) return path;
  }
  return undefined;
}
