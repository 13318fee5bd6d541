import { stringify } from 'yaml';
import type { OverrideInput } from './overrides.ts';

/** Variables as a YAML file that says where it comes from. Texts with templates are quoted, as Ansible wants them. */
export function yamlFile(values: Readonly<Record<string, unknown>>, { release, mode }: Pick<OverrideInput, 'release' | 'mode'>): string {
  const body = stringify(values, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', aliasDuplicateObjects: false });
  return `---\n# Release ${release}, mode ${mode}. Written by artifacts; changes get lost.\n${body}`;
}
