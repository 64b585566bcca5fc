import { serve } from './cli/serve.js';

process.exitCode = await serve(process.argv.slice(2));
