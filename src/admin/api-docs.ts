import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type OpenapiDocumentOptions, openapiDocument } from './openapi-document.js';
import type { Page, Pages } from './page.js';
import { contentSecurityPolicy, referencePage, startScript } from './reference-page.js';

/** The files of Swagger UI that the page needs. The server serves no others. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const json = 'application/json; charset=utf-8';
const html = 'text/html; charset=utf-8';
const script = 'text/javascript; charset=utf-8';
const plain = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
/** Cached for a year: the addresses contain the version. */
const forever = { 'cache-control': 'public, max-age=31536000, immutable' };

/**
 * `/openapi.json`, and `/docs`: a page that shows it and can send requests to the API. Files are read on demand, and
 * the page sends requests to no host but the API's.
 */
export function apiDocsPages(options: OpenapiDocumentOptions): Pages {
  let document: Promise<string> | undefined;
  const describedOnce = () => {
    document ??= openapiDocument(options).catch((error: unknown) => {
      document = undefined;
      throw error;
    });
    return document;
  };
  const reference = async () => {
    const policy = contentSecurityPolicy(new URL(options.apiUrl).origin);
    return page(html, referencePage(await swaggerVersion(), options.apiUrl), {
      'content-security-policy': policy,
    });
  };
  const assetOnce = (name: string) => {
    let content: Promise<Buffer> | undefined;
    return () => {
      content ??= readFile(swaggerFile(name)).catch((error: unknown) => {
        content = undefined;
        throw error;
      });
      return content;
    };
  };
  return {
    '/openapi.json': async () => page(json, await describedOnce()),
    '/docs': reference,
    '/docs/': reference,
    '/docs/start.js': () => page(script, startScript),
    ...Object.fromEntries(
      Object.entries(assets).map(([name, type]) => {
        const content = assetOnce(name);
        return [`/docs/${name}`, async () => page(type, await content(), forever)];
      }),
    ),
  };
}

function page(contentType: string, body: Page['body'], headers: Page['headers'] = {}): Page {
  return { status: 200, contentType, body, headers: { ...plain, ...headers } };
}

async function swaggerVersion(): Promise<string> {
  return JSON.parse(await readFile(swaggerFile('package.json'), 'utf8')).version;
}

function swaggerFile(name: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')), name);
}
