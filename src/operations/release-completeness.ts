import { ArtifactsError, type ErrorCode } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { counted } from './text.ts';

export const releaseCompleteness = defineOperation({
  name: 'release completeness',
  summary: 'Check that a release has every package that lists and roles want',
  description: `What is wanted stands in \`completeness\` in vars/: files with one package a line, and the *_distro_packages and
*_apt_packages lists of Ansible roles. Each must be in what the release publishes or in one of the bases, by
its name or as something a package provides. Status 3 when any is in neither. A build does the same before it
writes the manifest.`,
  example: `$ artifacts release completeness r1.0.0
2 of 140 wanted packages are neither in the release nor in its base:
  libfoo-dev  (roles/nova/defaults/main.yml nova_distro_packages)
  jq=1.7*     (lists/base.txt:3)`,
  arguments: { name: { summary: 'the release' } },
  options: {},
  run: async (app, { name }, ctx) => {
    const { releaseSpec } = await import('./release-spec.ts');
    const { checkCompleteness } = await import('../release/completeness.ts');
    const { completeness, codenames } = await releaseSpec(app, name);
    if (completeness === undefined) {
      throw new ArtifactsError('E_USAGE', 'Nothing says what a release must have', {
        hint: 'Declare `completeness` with `wanted` or `roles` in vars/.',
      });
    }
    const result = await checkCompleteness({ name, codenames, completeness }, await app.catalog(), ctx);
    return { ...result, complete: result.missing.length === 0 };
  },
  render: ({ missing, wanted, unresolved, release }) => {
    const width = Math.max(0, ...missing.map((one) => one.package.length));
    return [
      missing.length === 0
        ? `Release ${release} has all of ${counted(wanted, 'wanted package')}.`
        : `${missing.length} of ${counted(wanted, 'wanted package')} are neither in the release nor in its base:`,
      ...missing.map((one) => `  ${one.package.padEnd(width)}  (${one.from.join(', ')})`),
      ...(unresolved.length === 0 ? [] : [`Not looked for, as they name no package: ${unresolved.join('; ')}`]),
    ].join('\n');
  },
  verdict: ({ complete }): ErrorCode | undefined => (complete ? undefined : 'E_CHECK'),
});
