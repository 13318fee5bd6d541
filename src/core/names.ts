/** Names that people give to what they make here: they stand in paths, URLs and messages. */
import { ArtifactsError } from './errors.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9+._~@:-]*$/;
const LONGEST = 200;

/** Throws E_USAGE unless the name can be given to a `noun`. */
export function checkName(name: string, noun: string): void {
  if (NAME.test(name) && name.length <= LONGEST) return;
  throw new ArtifactsError('E_USAGE', `"${name}" is no name for a ${noun}`, {
    hint: 'Use letters, digits and + . _ ~ @ : - and begin with a letter or digit.',
  });
}
