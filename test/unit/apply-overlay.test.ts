import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../support/repository.js';

interface Overlay {
  readonly overlay: string;
  readonly actions: readonly { readonly target: string; readonly update?: unknown; readonly remove?: true }[];
}
type Apply = (document: object, overlay: Overlay) => Promise<object>;

const script = join(repositoryRoot, 'scripts/apply-overlay.mjs');
const { applyOverlay }: { applyOverlay: Apply } = await import(pathToFileURL(script).href);

const document = () => ({ schemas: { a: { type: 'string' }, b: { type: 'string' } } });
const apply = (...actions: Overlay['actions']) => applyOverlay(document(), { overlay: '1.1.0', actions });

describe('applyOverlay', () => {
  it('changes what the actions name, in their order', async () => {
    const target = "$.schemas['a','b']";
    const changed = await apply(
      { target, update: { minLength: 1 } },
      { target: '$.schemas.a.minLength', remove: true },
      { target: '$.schemas', update: { c: {} } },
      { target: '$.schemas.c', update: { type: 'number' } },
    );
    assert.deepEqual(changed, {
      schemas: { a: { type: 'string' }, b: { type: 'string', minLength: 1 }, c: { type: 'number' } },
    });
  });

  it('fails where an action finds nothing', async () => {
    await assert.rejects(apply({ target: '$.schemas.c', update: {} }), /nothing is at \$\.schemas\.c$/);
    await assert.rejects(apply({ target: '$.schemas.*.enum', remove: true }), /nothing is at/);
  });

  it('fails where one of several names in a target finds nothing', async () => {
    const gone = apply({ target: "$.schemas['a','c']", update: {} });
    await assert.rejects(gone, /nothing is at \$\.schemas\['c'\]$/);
  });

  it('fails where an action does not fit what it finds', async () => {
    await assert.rejects(apply({ target: '$.schemas.a', update: 'text' }), /nothing was changed at/);
  });
});
