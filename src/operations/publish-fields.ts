/** What can be said of a publication on the command line, and what the configuration says where nothing is said. */
import type { PublicationFields } from '../catalog/publications.ts';
import type { PublishSettings } from '../config/config.ts';
import { ArtifactsError } from '../core/errors.ts';
import { formatOf } from '../formats/index.ts';

const YES_NO = ['yes', 'no'] as const;

/** Options of `publish snapshot`, `publish repo`, `publish switch` and `publish update`. */
export const fieldOptions = {
  origin: { kind: 'text', value: 'TEXT', summary: 'Origin (default: publish.origin)' },
  label: { kind: 'text', value: 'TEXT', summary: 'Label (default: publish.label)' },
  suite: { kind: 'text', value: 'NAME', summary: 'Suite (default: the distribution)' },
  codename: { kind: 'text', value: 'NAME', summary: 'Codename (default: the distribution)' },
  releaseVersion: { kind: 'text', value: 'TEXT', summary: 'Version' },
  description: { kind: 'text', value: 'TEXT', summary: 'Description (default: label and distribution)' },
  notAutomatic: { kind: 'choice', choices: YES_NO, summary: 'NotAutomatic: installed from only when asked for' },
  butAutomaticUpgrades: { kind: 'choice', choices: YES_NO, summary: 'ButAutomaticUpgrades: what was installed is upgraded' },
  validFor: { kind: 'text', value: 'DURATION', summary: 'Valid-Until, counted from each publishing: 30d; none: for ever' },
  signedBy: { kind: 'choice', choices: YES_NO, summary: 'Signed-By: name the keys the next one will be signed with' },
  contents: { kind: 'choice', choices: YES_NO, summary: 'Contents: which package a file comes from' },
  clients: { kind: 'text', value: 'KIND', summary: 'who reads a repository of rpm: el7, el8 or suse; any: whoever' },
} as const;

/** For descriptions of the verbs that have them. */
export const FIELD_NOTE = 'What --origin to --contents say is told to clients of apt alone; --clients is for rpm.';

/** For those that make a distribution. */
export const FOLDER_NOTE = `For rpm a distribution is a folder with a repository for each architecture, and every component
but main is a folder in it with the same.`;

type Choice = 'yes' | 'no' | undefined;

/** The options as they were given. */
export interface FieldInput {
  readonly origin: string | undefined;
  readonly label: string | undefined;
  readonly suite: string | undefined;
  readonly codename: string | undefined;
  readonly releaseVersion: string | undefined;
  readonly description: string | undefined;
  readonly notAutomatic: Choice;
  readonly butAutomaticUpgrades: Choice;
  readonly validFor: string | undefined;
  readonly signedBy: Choice;
  readonly contents: Choice;
  readonly clients: string | undefined;
}

/** What was given, and nothing else. Throws E_USAGE for a duration that is none. */
export async function givenFields(input: FieldInput): Promise<PublicationFields> {
  const { origin, label, suite, codename, releaseVersion: version, description, validFor, clients } = input;
  const { notAutomatic, butAutomaticUpgrades, signedBy: pinKeys, contents } = input;
  const answers = Object.entries({ notAutomatic, butAutomaticUpgrades, pinKeys, contents });
  return defined({
    origin,
    label,
    suite,
    codename,
    version,
    description,
    clients,
    ...Object.fromEntries(answers.map(([name, answer]) => [name, answer === undefined ? undefined : answer === 'yes'])),
    ...(validFor === undefined ? {} : { validFor: await readDuration(validFor) }),
  });
}

/** The options of fields that are called otherwise. */
const OPTIONS: Readonly<Record<string, string>> = { version: 'release-version', pinKeys: 'signed-by' };

/** Throws E_USAGE for what clients of the format cannot be told; that nothing is to be said of it is no lie. */
export function checkTold(given: PublicationFields, format: string): void {
  const { untold } = formatOf(format).publishing;
  const vain = Object.entries(effective(given)).flatMap(([name]) => (untold.includes(name) ? [`--${OPTIONS[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`] : []));
  if (vain.length === 0) return;
  throw new ArtifactsError('E_USAGE', `Clients of ${format} cannot be told what ${vain.join(', ')} would say`, { hint: 'Leave it out.' });
}

async function readDuration(text: string): Promise<number> {
  if (text === 'none') return 0;
  const { parseDuration } = await import('../config/values.ts');
  const result = parseDuration(text);
  if ('value' in result) return result.value;
  throw new ArtifactsError('E_USAGE', `--valid-for: ${result.problem}`);
}

/** What a publication says when only the configuration was asked. */
export function defaultFields({ validFor, signedBy, contents }: PublishSettings): Omit<PublicationFields, 'origin' | 'label'> {
  return effective({ ...(validFor === undefined ? {} : { validFor }), pinKeys: signedBy, contents });
}

/** What it says: what was given for it, and for the rest what the configuration says. */
export function effectiveFields(given: PublicationFields, settings: PublishSettings): PublicationFields & { readonly origin: string; readonly label: string } {
  const { origin = settings.origin, label = settings.label, ...fields } = given;
  return { ...effective({ ...defaultFields(settings), ...fields }), origin, label };
}

/** A field that says nothing is as good as none: so that equal publications have equal fields. */
function effective(fields: PublicationFields): PublicationFields {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== undefined && value !== false && value !== 0 && !(name === 'clients' && value === 'any')));
}

function defined(fields: Record<string, unknown>): PublicationFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
