// Writes docs/commands.md from the declared operations (after `npm run build`); `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { commandDocs } from '../build/src/cli/docs.js';
import { operations } from '../build/src/operations/index.js';

const page = new URL('../docs/commands.md', import.meta.url);
const text = commandDocs(operations);

if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/commands.md is out of date. Run `npm run build && node scripts/docs.mjs`.');
  process.exit(1);
}
