import type { Page } from './page.js';

/** What the pages are for, by their paths. */
const PURPOSES: Readonly<Record<string, string>> = {
  '/livez': 'whether the process answers',
  '/readyz': 'whether it takes calls, and if not, why not',
  '/metrics': 'metrics for Prometheus',
  '/openapi.json': 'the HTTP API as OpenAPI',
  '/docs': 'the HTTP API, with requests to try',
};

/**
 * The index of an admin server, at `/`: links for browsers, plain text for other clients.
 *
 * @param paths of all pages; those below another one, such as the files of a page, are left out
 * @param accept the header of the request
 */
export function indexPage(paths: readonly string[], accept: string): Page {
  const pages = topPaths(paths).map((path) => ({ path, purpose: PURPOSES[path] ?? '' }));
  const isBrowser = accept.includes('text/html');
  return {
    status: 200,
    contentType: `text/${isBrowser ? 'html' : 'plain'}; charset=utf-8`,
    body: isBrowser ? asHtml(pages) : asText(pages),
    headers: {
      vary: 'accept',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    },
  };
}

/** Pages that people visit: `/docs`, but not `/docs/start.js`. */
export function topPaths(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => path !== '/' && path.lastIndexOf('/') === 0);
}

interface Entry {
  readonly path: string;
  readonly purpose: string;
}

function asText(pages: readonly Entry[]): string {
  const width = Math.max(...pages.map(({ path }) => path.length));
  const lines = pages.map(({ path, purpose }) => `  ${path.padEnd(width)}  ${purpose}`.trimEnd());
  return ['Verdict, the port for operators', '', ...lines, ''].join('\n');
}

function asHtml(pages: readonly Entry[]): string {
  const items = pages.map(({ path, purpose }) => `      <li><a href="${path}">${path}</a> ${purpose}</li>`);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Verdict</title>
  </head>
  <body>
    <h1>Verdict</h1>
    <p>The port for operators.</p>
    <ul>
${items.join('\n')}
    </ul>
  </body>
</html>
`;
}
