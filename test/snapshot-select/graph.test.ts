import test from 'ava';
import { dotText, mermaidText, type OriginGraph } from '../../src/snapshot/graph.ts';

const GRAPH: OriginGraph = {
  nodes: [
    { id: 'mirror a"b\\', kind: 'mirror', name: 'a"b\\', packages: null },
    { id: 'snapshot end', kind: 'snapshot', name: 'end', packages: 1 },
  ],
  edges: [{ from: 'mirror a"b\\', to: 'snapshot end', label: 'x|y' }],
};

test('what is in a name cannot end its text', (t) => {
  t.is(
    dotText(GRAPH),
    String.raw`digraph artifacts {
  rankdir=LR;
  "mirror a\"b\\" [shape=cylinder, label="mirror\na\"b\\ (gone)"];
  "snapshot end" [shape=box, label="snapshot\nend (1)"];
  "mirror a\"b\\" -> "snapshot end" [label="x|y"];
}`,
  );
  t.is(mermaidText(GRAPH), 'flowchart LR\n  n1[("mirror: a#34;b#92; (gone)")]\n  n2["snapshot: end (1)"]\n  n1 -->|"x#124;y"| n2');
});
