import { chromium } from 'playwright-core';

const timeoutMs = 30_000;

/**
 * Uses the reference page as a person would: opens the operation that classifies with a named model, sends its example,
 * and reads the answer.
 *
 * @param {{ chromiumPath: string, docsUrl: string, screenshotPath?: string }} options
 * @returns {Promise<{ status: string, answer: string, hosts: string[], complaints: string[] }>} `hosts`: every host
 *   that the page talked to; `complaints`: what the browser wrote to its console, refusals by the content security
 *   policy among it
 */
export async function browseReference({ chromiumPath, docsUrl, screenshotPath }) {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    // Without a sandbox where it cannot have one: root, containers.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1760 } });
    page.setDefaultTimeout(timeoutMs);
    const hosts = new Set();
    const complaints = [];
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'data:') hosts.add(url.host);
    });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(docsUrl);
    const operation = page.locator('#operations-ClassifierService-ClassifierService_Classify');
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('button.execute').click();
    const live = operation.locator('.live-responses-table');
    const status = (await live.locator('tr.response td.response-col_status').first().textContent()) ?? '';
    const answer = (await live.locator('tr.response pre').first().textContent()) ?? '';
    if (screenshotPath !== undefined) {
      await operation.scrollIntoViewIfNeeded();
      await page.screenshot({ path: screenshotPath });
    }
    return { status: status.trim(), answer, hosts: [...hosts], complaints };
  } finally {
    await browser.close();
  }
}
