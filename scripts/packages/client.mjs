import { commonFields, manifestOf, SCOPE, stage } from './stage.mjs';

const directory = 'clients/typescript';

/** The TypeScript client: its sources compiled, with their types and the generated code that they import. */
export function clientPackage(out) {
  const { name, description, type, sideEffects, exports, dependencies } = manifestOf(directory);
  if (!name.startsWith(`${SCOPE}/`)) throw new Error(`${directory}: the name must be in the scope ${SCOPE}`);
  const manifest = {
    name,
    description,
    ...commonFields(directory),
    type,
    sideEffects,
    exports,
    dependencies,
  };
  return [
    stage(out, manifest, {
      LICENSE: 'LICENSE',
      'README.md': `${directory}/README.md`,
      dist: `${directory}/dist`,
    }),
  ];
}
