import { defineOperation } from './operation.ts';

export const graph = defineOperation({
  name: 'graph',
  summary: 'Draw where everything came from: mirrors, repositories, snapshots, publications',
  description: `Mermaid is what many wikis and code hosts show as a picture; DOT is for Graphviz. The same catalog gives the same
text. With --json the nodes and edges come as they are.`,
  example: `$ artifacts graph --format dot | dot -Tsvg > graph.svg`,
  arguments: {},
  options: { format: { kind: 'choice', choices: ['mermaid', 'dot'], summary: 'the language (default: mermaid)' } },
  run: async (app, { format }) => {
    const { dotText, mermaidText, originGraph } = await import('../snapshot/graph.ts');
    const drawn = originGraph(await app.catalog());
    return { format: format ?? 'mermaid', ...drawn, text: format === 'dot' ? dotText(drawn) : mermaidText(drawn) };
  },
  render: ({ text }) => text,
});
