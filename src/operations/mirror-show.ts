import { defineOperation } from './operation.ts';
import { metadataLines, viewMetadata } from './snapshot-view.ts';

export const mirrorShow = defineOperation({
  name: 'mirror show',
  summary: 'Show a mirror: its definition, its upstream, its content',
  example: `$ artifacts mirror show debian-bookworm
Mirror:     debian-bookworm
Packages:   38
Upstream:   Debian bookworm of 2026-11-14T10:12:33.000Z
Signed by:  4CB50190207B4758A3F73A796ED0E7B82643E131`,
  arguments: { name: { summary: 'the mirror' } },
  options: {},
  run: async (app, { name }) => {
    const { findMirror } = await import('../config/resolve-mirror.ts');
    const { describeMirror } = await import('../config/describe-mirror.ts');
    const config = await app.config();
    const { description } = await describeMirror(config, findMirror(config, name), app.machine());
    const catalog = await app.catalog();
    const state = catalog.mirrors.get(name);
    return {
      name,
      definition: description,
      packages: state?.content.count ?? null,
      metadata: state === undefined ? [] : viewMetadata(catalog, state.content),
      content: state?.content.digest ?? null,
      upstream: state === undefined ? null : { url: state.root.url, date: state.root.date, validUntil: state.root.validUntil ?? null, ...state.root.identity },
      signedBy: state?.root.signedBy ?? [],
      checkedAt: state?.checkedAt ?? null,
      changedAt: state?.changedAt ?? null,
    };
  },
  render: (mirror) => {
    const identity: Readonly<Record<string, string | null>> = mirror.upstream ?? {};
    const lines = [
      ['Mirror', mirror.name],
      ['Packages', mirror.packages === null ? 'never updated' : String(mirror.packages)],
      ...metadataLines(mirror.metadata),
      ['Upstream', mirror.upstream === null ? '-' : upstreamLine(identity, mirror.upstream.date)],
      ['From', mirror.upstream?.url ?? '-'],
      ['Signed by', mirror.signedBy.join(', ') || '-'],
      ['Checked', mirror.checkedAt ?? '-'],
      ['Changed', mirror.changedAt ?? '-'],
      ['Definition', definitionText(mirror.definition)],
    ];
    return lines.map(([name = '', value = '']) => `${`${name}:`.padEnd(12)}${value}`).join('\n');
  },
});

/** Upstreams of some formats have no names for themselves. */
function upstreamLine({ origin, codename }: Readonly<Record<string, string | null>>, date: string): string {
  const names = [origin, codename].filter((name) => typeof name === 'string' && name !== '');
  return names.length === 0 ? date : `${names.join(' ')} of ${date}`;
}

/** What was said of it; all of it, with what was left open, is in the JSON. */
function definitionText(definition: Readonly<Record<string, unknown>>): string {
  const said = Object.entries(definition).filter(([, value]) => value !== null && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0));
  return said.map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value)}`).join(' ');
}
