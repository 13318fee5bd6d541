/** Packages that lie as files: what local repositories are filled with. */
import type { PackageRecord } from '../../core/package.ts';
import type { LocalFormat, LocalPackage } from '../format.ts';
import { packageFileName, poolPath } from '../pool-path.ts';
import { readFacts } from './facts.ts';
import { localMetadata } from './local-metadata.ts';
import { readHead, scanRpm } from './package-file.ts';
import { packageTexts } from './package-text.ts';
import { partitionOf } from './read-index.ts';
import { joinTexts } from './record-text.ts';
import { packageSigning } from './sign-header.ts';
import { joinVersion } from './version.ts';

export const localFiles: LocalFormat = {
  kindOf: (fileName) => (fileName.endsWith('.rpm') ? 'package' : undefined),
  scan: scanRpm,
  signing: packageSigning,
  metadata: localMetadata,
  readPackage,
};

/** The time of the file is that of the build: a clock or a copy of it must not change what is published. */
function readPackage(file: LocalPackage, description: Buffer): PackageRecord {
  const { fileName, size, sha256 } = file;
  const facts = readFacts(readHead(description, fileName), fileName);
  const name = packageFileName(fileName, sha256, () => `${fileName}: its path`);
  const texts = packageTexts(facts, { href: poolPath({ name, sha256 }), size, sha256, fileTime: facts.buildTime });
  const { primary, filelists, other } = texts;
  return {
    format: 'rpm',
    partition: partitionOf(facts.arch),
    name: facts.name,
    version: joinVersion(facts),
    architecture: facts.arch,
    files: [{ name, size, sha256 }],
    text: joinTexts({ primary: Buffer.from(primary), filelists: Buffer.from(filelists), other: Buffer.from(other) }),
  };
}
