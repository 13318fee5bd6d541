import type { Operation } from '../operations/operation.ts';
import { completionOperation } from './completion.ts';
import { operationHelp, programHelp } from './help.ts';

/** The page docs/commands.md: the help of the program and of every command, as the program prints it. */
export function commandDocs(operations: readonly Operation[]): string {
  const all = [...operations, completionOperation(operations)];
  return [
    '# Commands',
    'Generated from the declarations in `src/operations` by `node scripts/docs.mjs`; edit those.',
    block(programHelp(all)),
    ...all.flatMap((operation) => [`## artifacts ${operation.name}`, block(withoutRepeats(operationHelp(operation)))]),
  ]
    .join('\n\n')
    .concat('\n');
}

/** Global options and exit statuses are the same everywhere: on this page they stand once, at the top. */
function withoutRepeats(help: string): string {
  return help
    .split(/\n\n(?=\S)/)
    .filter((section) => !section.startsWith('Global options') && !section.startsWith('Exit status:'))
    .join('\n\n');
}

function block(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
