import { defineOperation } from './operation.ts';
import { DEFAULT_PREFIX, requirePublication } from './publish-view.ts';

export const publishDrop = defineOperation({
  name: 'publish drop',
  summary: 'Stop serving a distribution',
  description: 'Its files go with the next `artifacts db cleanup` after the time they are kept for clients.',
  example: `$ artifacts publish drop bookworm
apt-mirror/integrated bookworm is no longer published.`,
  arguments: {
    distribution: { summary: 'the distribution' },
    prefix: { summary: `the prefix (default: ${DEFAULT_PREFIX})`, optional: true },
  },
  options: {},
  run: async (app, { distribution, prefix }, ctx) => {
    const { dropPublication } = await import('../publish/generations.ts');
    const catalog = await app.catalog();
    const tools = await app.tools();
    return app.change(ctx, async () => {
      const publication = requirePublication(catalog, prefix, distribution);
      dropPublication(publication, tools);
      return { prefix: publication.prefix, distribution };
    });
  },
  render: ({ prefix, distribution }) => `${prefix} ${distribution} is no longer published.`,
});
