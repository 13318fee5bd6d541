import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadBundle } from './load-bundle.js';

// The bundle starts faster. It is made from the compiled files: older than those, it is of another program.
const [bundle, compiled] = ['bundle/cli/main.cjs', 'src/cli/main.js'].map((file) => fileURLToPath(new URL(`../build/${file}`, import.meta.url)));
const made = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;

/** What src/cli/main.ts exports. */
export const program = made(bundle) >= made(compiled) ? loadBundle(bundle).program : await import(compiled);
