import { defineOperation } from './operation.ts';
import { renderPublished } from './publish-change.ts';
import { newOptions, publishNew, type NewKind } from './publish-new.ts';
import { FIELD_NOTE, FOLDER_NOTE } from './publish-fields.ts';
import { DEFAULT_PREFIX } from './publish-view.ts';

const instead: NewKind['instead'] = ({ prefix, distribution, sources }) => `To replace what it serves: artifacts publish switch ${distribution} ${prefix} ${sources.join(' ')}`;

export const publishSnapshot = defineOperation({
  name: 'publish snapshot',
  summary: 'Publish snapshots as a signed distribution',
  description: `One snapshot for each component: with --component main,contrib two of them, in that order, and perhaps the prefix
behind them. Refused when the distribution exists: \`artifacts publish switch\` replaces what it serves.

What is said here of the distribution stays said until it is said anew with \`publish switch\` or \`publish update\`;
everything else follows publish.* in vars/. ${FIELD_NOTE}

${FOLDER_NOTE}`,
  example: `$ artifacts publish snapshot bookworm-2026-11-21 --distribution bookworm
Published apt-mirror/integrated bookworm: generation 1.`,
  arguments: {
    words: { summary: `the snapshots, then perhaps the folder below the public one (default: ${DEFAULT_PREFIX}): SNAPSHOT... [PREFIX]`, variadic: true },
  },
  options: newOptions,
  run: (app, input, ctx) => publishNew(app, input, { source: (name) => ({ snapshot: name }), instead }, ctx),
  render: renderPublished,
});
