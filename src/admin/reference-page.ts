/** The page that shows the API: Swagger UI over `/openapi.json`. `version` keeps caches from mixing releases. */
export function referencePage(version: string): string {
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
    <div id="reference"></div>
    <script src="/docs/swagger-ui-bundle.js?${version}"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;
}

/** What starts Swagger UI, in a file of its own so that the page needs no inline script. */
export const startScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

/** Nothing but what this server serves, requests to the API, and the images that the style sheet holds. */
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
