import { localTarget } from './local.ts';
import { rsyncTarget } from './rsync.ts';
import type { Target, TargetDefinition, TargetTools } from './target.ts';

export type { Target, TargetDefinition, TargetSession } from './target.ts';

/** Every kind of target: one file beside this one, one case here. Nothing is connected to before a target is opened. */
export function targetOf(definition: TargetDefinition, tools: TargetTools): Target {
  switch (definition.kind) {
    case 'local':
      return localTarget(definition, tools);
    case 'rsync':
      return rsyncTarget(definition, tools);
    default:
      return definition satisfies never;
  }
}
