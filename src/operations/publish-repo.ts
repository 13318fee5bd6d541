import { defineOperation } from './operation.ts';
import { renderPublished } from './publish-change.ts';
import { newOptions, publishNew, type NewKind } from './publish-new.ts';
import { FIELD_NOTE, FOLDER_NOTE } from './publish-fields.ts';
import { DEFAULT_PREFIX } from './publish-view.ts';

const instead: NewKind['instead'] = ({ prefix, distribution }) => `To publish what changed: artifacts publish update ${distribution} ${prefix}`;

export const publishRepo = defineOperation({
  name: 'publish repo',
  summary: 'Publish local repositories as a signed distribution',
  description: `Freezes each repository first, as REPO@DATE, so that what is published never changes by itself;
\`artifacts publish update\` does the same again when the repository has changed. ${FIELD_NOTE}

${FOLDER_NOTE}`,
  example: `$ artifacts publish repo ours --distribution bookworm
Published apt-mirror/integrated bookworm: generation 1.`,
  arguments: {
    words: { summary: `the repositories, then perhaps the folder below the public one (default: ${DEFAULT_PREFIX}): REPO... [PREFIX]`, variadic: true },
  },
  options: newOptions,
  run: (app, input, ctx) => publishNew(app, input, { source: (name) => ({ repo: name }), instead }, ctx),
  render: renderPublished,
});
