/**
 * The colours that charts are drawn with: those for a light page. `themed` swaps the greys for a dark one; the series
 * have colours that stand out on both.
 */
export const colors = {
  background: '#fffffe',
  text: '#1f2328',
  muted: '#59636e',
  grid: '#d1d9e0',
  mark: '#cf222e',
  series: ['#2f81f7', '#e8833a', '#2da44e', '#a371f7', '#d4a72c', '#db61a2'],
} as const;

const dark: Readonly<Record<string, string>> = {
  [colors.background]: '#0d1117',
  [colors.text]: '#e6edf3',
  [colors.muted]: '#9198a1',
  [colors.grid]: '#3d444d',
  [colors.mark]: '#ff7b72',
};

/**
 * Gives an SVG image a background of its own, and a style sheet that follows the reader's light or dark setting. What is
 * for the mouse goes: an image in a page has none, and the counted class names would differ from run to run.
 */
export function themed(svg: string): string {
  const rules = Object.entries(dark).flatMap(([from, to]) => [
    `[fill="${from}"]{fill:${to}}`,
    `[stroke="${from}"]{stroke:${to}}`,
  ]);
  const style = `<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
  const card = `<rect width="100%" height="100%" rx="12" fill="${colors.background}"/>`;
  return svg
    .replaceAll(/<style ?><!\[CDATA\[.*?\]\]>\s*<\/style>\s*/gs, '')
    .replaceAll(/ (class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/<svg[^>]*>/, (tag) => `${tag}${style}${card}`);
}
