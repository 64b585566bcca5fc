// Takes docs/images/api-reference.png: the reference page, after it has sent a request and got its answer. Wants
// Chromium, and `npm start` and `npm run envoy` under way; another address of the page is its one argument.
import { fileURLToPath } from 'node:url';
import { browseReference } from './browse-reference.mjs';
import { findChromium } from './tools/chromium.mjs';

const chromiumPath = await findChromium();
if (chromiumPath === undefined) {
  console.error('there is no Chromium on the PATH');
  process.exit(1);
}
const docsUrl = process.argv[2] ?? 'http://localhost:9464/docs';
const screenshotPath = fileURLToPath(new URL('../docs/images/api-reference.png', import.meta.url));
const { status, complaints } = await browseReference({ chromiumPath, docsUrl, screenshotPath });
for (const complaint of complaints) console.error(complaint);
console.log(`the answer had status ${status}`);
if (status !== '200') process.exitCode = 1;
