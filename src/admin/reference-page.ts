/**
 * The page that shows the API: Swagger UI over `/openapi.json`.
 *
 * @param version of Swagger UI; keeps caches from mixing releases
 * @param apiUrl where the page sends requests; it names the URL if nothing answers there
 */
export function referencePage(version: string, apiUrl: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Verdict API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png?${version}">
    <link rel="stylesheet" href="/docs/swagger-ui.css?${version}">
  </head>
  <body>
    <div id="unreachable" class="swagger-ui" data-probe="${escaped(probeOf(apiUrl))}" role="alert" hidden>
      <div class="errors-wrapper">
        <h4>Nothing answers at ${escaped(apiUrl)}</h4>
        <p>
          This page sends its requests there, to Envoy, which turns them into gRPC. Start it beside the server:
          <code>npm run envoy</code>. If Envoy is elsewhere, start the server with <code>VERDICT_DOCS_API_URL</code>.
        </p>
      </div>
    </div>
    <div id="reference"></div>
    <script src="/docs/swagger-ui-bundle.js?${version}"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;
}

/** A cheap page of the API. */
function probeOf(apiUrl: string): string {
  return `${apiUrl.replace(/\/$/, '')}/v1/models`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}

/**
 * Starts Swagger UI, in a separate file so that the page needs no inline script. If the API is not reachable, Swagger
 * UI only says "Failed to fetch", so the page checks itself: when it opens, with every request, and when the user comes
 * back to it.
 */
export const startScript = `const unreachable = document.getElementById('unreachable');

async function lookForApi() {
  try {
    // Any answer will do, even one that scripts of other origins may not read.
    await fetch(unreachable.dataset.probe, { mode: 'no-cors', cache: 'no-store' });
    unreachable.hidden = true;
  } catch {
    unreachable.hidden = false;
  }
}

lookForApi();
window.addEventListener('focus', lookForApi);

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  requestInterceptor: (request) => {
    lookForApi();
    return request;
  },
});
`;

/** Allows only what this server serves, requests to the API, and the images in the style sheet. */
export function contentSecurityPolicy(apiOrigin: string): string {
  const rules = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${apiOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return rules.join('; ');
}
