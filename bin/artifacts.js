#!/usr/bin/env node
import { program } from './program.js';

// All output is written when the status is known. Idle keep-alive connections must not keep the process.
process.exit(await program.main(process.argv.slice(2)));
