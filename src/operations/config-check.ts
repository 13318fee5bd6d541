import { defineOperation } from './operation.ts';
import { counted } from './text.ts';

export const configCheck = defineOperation({
  name: 'config check',
  summary: 'Check vars/ and mappings/: all problems at once, with file and line',
  description: 'Status 2 when anything is wrong. Warnings are told and do not fail the check.',
  example: `$ artifacts config check
1 mirror, 1 release: no problems.`,
  arguments: {},
  options: {},
  run: async (app) => {
    const config = await app.config();
    return {
      mirrors: config.mirrors.length,
      releases: config.releases.length,
      series: [...config.miko.keys()],
      warnings: config.warnings,
      ignored: config.ignored,
    };
  },
  render: ({ mirrors, releases, warnings, ignored }) =>
    [
      ...warnings.map(({ file, line, column, message }) => `${file}:${line}:${column}: warning: ${message}`),
      ...ignored.map(({ file, line, name }) => `${file}:${line}: ${name} has no meaning here and is ignored`),
      `${counted(mirrors, 'mirror')}, ${counted(releases, 'release')}: no problems.`,
    ].join('\n'),
});
