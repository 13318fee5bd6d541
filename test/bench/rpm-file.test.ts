/** The packages that the bench writes itself are such that rpm reads and verifies, and damaged ones it refuses. */
import { writeFile } from 'node:fs/promises';
import { writeRpm } from '../../bench/rpm-file.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';

testWith(hasCommand('rpmkeys'), 'rpm is not installed')('rpm reads and verifies what the bench writes', async (t) => {
  await using dir = await tempDir();
  const bytes = writeRpm({
    name: 'tool',
    version: '1.2',
    release: '3.el9',
    arch: 'x86_64',
    summary: 'a tool',
    description: 'does things',
    packager: 'Rig',
    url: 'http://example.org/',
    buildTime: 1_600_000_000,
    provides: [{ name: 'tool', flags: 8, version: '1.2-3.el9' }],
    requires: [{ name: 'libthing', flags: 12, version: '2.0' }],
    recommends: [],
    files: ['/etc/tool.conf', '/usr/bin/tool', '/usr/share/doc/tool/'],
    changelogs: [{ time: 1_600_000_000, author: 'Rig <rig@example.org> - 1.2-3', text: '- first' }],
    payload: Buffer.alloc(3000, 'payload'),
  });
  await writeFile(dir.join('tool.rpm'), bytes);
  bytes.writeUInt8(1, bytes.length - 1);
  await writeFile(dir.join('damaged.rpm'), bytes);

  const query = await runCommand('rpm', ['--dbpath', dir.join('db'), '-qp', '--qf', '%{NEVRA} [%{REQUIRENAME} ][%{FILENAMES} ]%{CHANGELOGTEXT}', dir.join('tool.rpm')]);
  t.is(query.stdout, 'tool-1.2-3.el9.x86_64 libthing /etc/tool.conf /usr/bin/tool /usr/share/doc/tool - first');
  t.is((await runCommand('rpmkeys', ['--dbpath', dir.join('db'), '-K', dir.join('tool.rpm')])).status, 0);
  t.not((await runCommand('rpmkeys', ['--dbpath', dir.join('db'), '-K', dir.join('damaged.rpm')])).status, 0);
});
