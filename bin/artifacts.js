#!/usr/bin/env node
import { statSync } from 'node:fs';

// The bundle starts faster. It is made from the compiled files: older than those, it is of another program.
const [bundle, compiled] = ['bundle', 'src'].map((form) => new URL(`../build/${form}/cli/main.js`, import.meta.url));
const made = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;
await import(made(bundle) >= made(compiled) ? bundle : compiled);
