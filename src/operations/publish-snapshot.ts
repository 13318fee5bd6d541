import type { Context } from '../core/context.ts';
import type { App } from './app.ts';
import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { DEFAULT_PREFIX, viewPublication, type PublicationView } from './publish-view.ts';

export const publishSnapshot = defineOperation({
  name: 'publish snapshot',
  summary: 'Publish a snapshot as a signed distribution',
  description: 'Refused when the distribution exists: `artifacts publish switch` replaces what it serves.',
  example: `$ artifacts publish snapshot bookworm-2026-11-21 --distribution bookworm
Published apt-mirror/integrated bookworm: generation 1.`,
  arguments: {
    name: { summary: 'the snapshot' },
    prefix: { summary: `folder below the public one (default: ${DEFAULT_PREFIX})`, optional: true },
  },
  options: {
    distribution: { kind: 'text', value: 'NAME', summary: 'what clients ask for', required: true },
    component: { kind: 'text', value: 'NAME', summary: 'the component (default: main)' },
  },
  run: async (app, { name, prefix, distribution, component }, ctx) => {
    const place = { prefix: prefix ?? DEFAULT_PREFIX, distribution };
    if ((await app.catalog()).publications.find(place.prefix, distribution) !== undefined) {
      throw new ArtifactsError('E_EXISTS', `${place.prefix} ${distribution} is published already`, {
        hint: `To replace what it serves: artifacts publish switch ${distribution} ${place.prefix} ${name}`,
      });
    }
    return publishOne(app, { ...place, snapshot: name, component: component ?? 'main' }, ctx);
  },
  render: renderPublished,
});

export interface PublishedView extends PublicationView {
  readonly changed: boolean;
}

export function renderPublished({ prefix, distribution, generation, changed }: PublishedView): string {
  if (!changed) return `${prefix} ${distribution} serves that already.`;
  return `Published ${prefix} ${distribution}: generation ${generation}.`;
}

interface PublishInput {
  readonly prefix: string;
  readonly distribution: string;
  readonly snapshot: string;
  readonly component: string;
}

/** Publishes one snapshot as the only component, or as one beside those that are published already. */
export async function publishOne(app: App, input: PublishInput, ctx: Context): Promise<PublishedView> {
  const { requireSnapshot } = await import('../snapshot/snapshots.ts');
  const { publish } = await import('../publish/publish.ts');
  const { publish: settings, architectures } = await app.config();
  const catalog = await app.catalog();
  const snapshot = requireSnapshot(catalog, input.snapshot);
  const signer = await app.signer();
  const tools = await app.tools();
  return app.change(ctx, async () => {
    const { prefix, distribution, component } = input;
    const before = catalog.publications.find(prefix, distribution);
    const others = (before?.components ?? []).map((item) => [item.component, catalog.snapshots.get(item.snapshot)] as const);
    const components = new Map([...others, [component, snapshot] as const]);
    const { origin, label } = settings;
    const { publication, changed } = await publish({ prefix, distribution, components, origin, label, architectures }, signer, tools, ctx);
    return { ...viewPublication(catalog, publication), changed };
  });
}
