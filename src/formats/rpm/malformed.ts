import { ArtifactsError } from '../../core/errors.ts';

/** E_FORMAT with its place. */
export function malformed(place: string, problem: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `${place}: ${problem}`);
}
