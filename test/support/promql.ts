import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

/** A series selector in a query: `verdict_shed_total{reason="expired"}`. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels in `by (...)` and `on (...)`, each with the metrics in the expression that they belong to. */
  readonly groupings: readonly { readonly label: string; readonly metrics: readonly string[] }[];
}

/**
 * What a PromQL query asks for, read with the grammar of Prometheus' own user interface.
 * @throws Error when it is no PromQL
 */
export function readQuery(query: string): Query {
  const text = (node: Node): string => query.slice(node.from, node.to);
  const root = parser.parse(query).topNode;
  const broken = all(root, (node) => node.type.isError)[0];
  if (broken !== undefined) throw new Error(`no PromQL at ${broken.from}: ${query}`);
  const metricOf = (selector: Node): string => {
    const name = selector.getChild('Identifier');
    return name === null ? '' : text(name);
  };
  return {
    selectors: all(root, isSelector).map((selector) => ({
      metric: metricOf(selector),
      matchers: all(selector, (node) => node.name === 'UnquotedLabelMatcher').map((matcher) => {
        const [label = '', operator = '', value = ''] = childrenOf(matcher).map(text);
        return { label, operator, value: value.slice(1, -1) };
      }),
    })),
    groupings: all(root, (node) => node.name === 'GroupingLabels').flatMap((labels) => {
      const owner = labels.parent?.parent;
      const metrics = owner ? all(owner, isSelector).map(metricOf) : [];
      return childrenOf(labels).map((label) => ({ label: text(label), metrics }));
    }),
  };
}

function isSelector(node: Node): boolean {
  return node.name === 'VectorSelector';
}

function all(node: Node, wanted: (node: Node) => boolean): Node[] {
  return [...(wanted(node) ? [node] : []), ...childrenOf(node).flatMap((child) => all(child, wanted))];
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
