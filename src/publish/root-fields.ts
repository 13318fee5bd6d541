/** What a publication says of itself in its root metadata. Pure. */
import type { PublicationFields, PublicationSpec } from '../catalog/publications.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { PublishingFormat, RootPlan } from '../formats/format.ts';
import type { PublishRequest } from './publish.ts';

type RootFields = Omit<RootPlan, 'date' | 'validUntil' | 'components' | 'files'>;

export function rootFields(spec: PublicationSpec, distribution: string): RootFields {
  const { origin, label, architectures, version, notAutomatic, butAutomaticUpgrades } = spec;
  return {
    origin,
    label,
    suite: spec.suite ?? distribution,
    codename: spec.codename ?? distribution,
    ...(version === undefined ? {} : { version }),
    description: spec.description ?? `${label} ${distribution}`,
    architectures,
    ...(notAutomatic === true ? { notAutomatic } : {}),
    ...(butAutomaticUpgrades === true ? { butAutomaticUpgrades } : {}),
    ...(spec.pinKeys === true ? { signedBy: spec.signedBy } : {}),
  };
}

/** What clients can be told: the configuration says it for the publications of all formats. */
export function toldFields(fields: PublicationFields, { untold }: Pick<PublishingFormat, 'untold'>): PublicationFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !untold.includes(name)));
}

/** Throws E_USAGE for what would not mean what it says. */
export function checkFields({ origin, label, fields = {} }: Pick<PublishRequest, 'origin' | 'label' | 'fields'>): void {
  const { suite, codename, version, description } = fields;
  for (const [name, text] of Object.entries({ origin, label, suite, codename, version, description })) {
    // oxlint-disable-next-line no-control-regex
    if (text === undefined || (text.trim() !== '' && !/[\u0000-\u001f\u007f]/.test(text))) continue;
    throw new ArtifactsError('E_USAGE', `The ${name} ${JSON.stringify(text.slice(0, 80))} is not one line of text`);
  }
  if (fields.butAutomaticUpgrades === true && fields.notAutomatic !== true) {
    // apt_preferences(5), "Tracking Stable": the pin of 100 is for releases that are not automatic.
    throw new ArtifactsError('E_USAGE', 'ButAutomaticUpgrades means nothing without NotAutomatic', { hint: 'Add `--not-automatic yes`.' });
  }
  if (fields.pinKeys === true && fields.validFor === undefined) {
    // RepositoryFormat, "Signed-By": used only if the file has a Valid-Until that lies in the future.
    throw new ArtifactsError('E_USAGE', 'Signed-By means nothing without Valid-Until', {
      hint: 'Say for how long it is valid: `--valid-for 30d`, or publish.valid_for in vars/.',
    });
  }
}
