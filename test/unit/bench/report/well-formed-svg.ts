import assert from 'node:assert/strict';

/** Fails unless the text is one `<svg>` element whose tags nest and whose attributes are quoted. */
export function assertWellFormedSvg(text: string): void {
  const open: string[] = [];
  const rest = text.replaceAll(
    /<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, end, name, __, own) => {
      if (end === '/') assert.equal(open.pop(), name, `</${name}> ends what did not begin`);
      else if (own !== '/') open.push(name);
      return '';
    },
  );
  assert.deepEqual(open, [], 'every element ends');
  assert.doesNotMatch(rest, /</, 'every < begins a tag');
  assert.match(text, /^<svg .*<\/svg>\s*$/s);
}
