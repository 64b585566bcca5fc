import { fileURLToPath } from 'node:url';

/** The git-ignored folder that provisioned tools live in: `.tools/` beside `package.json`. */
export const toolsDir = fileURLToPath(new URL('../../.tools', import.meta.url));
