import { loadingTrouble } from './descriptor-limit.js';

const trouble = loadingTrouble();
if (trouble === undefined) {
  // Not imported above: loading it is what the limit may be too low for.
  const { serve } = await import('./cli/serve.js');
  process.exitCode = await serve(process.argv.slice(2));
} else {
  process.stderr.write(`${trouble}\n`);
  process.exitCode = 1;
}
