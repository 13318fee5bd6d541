import { createCipheriv } from 'node:crypto';
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { isRoot, testWith } from '../rig/skip.ts';
import { openSite, type Site } from './site.ts';

const DEBS = Array.from({ length: 8 }, (_, index) => buildDeb({ name: `p${index}`, files: { noise: noise(100_000, index) } }));
const mounts = isRoot && (await canMount());

/** True when this process may mount: root in a container often may not. */
async function canMount(): Promise<boolean> {
  return (await runCommand('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])).status === 0;
}

const onSmallDisk = testWith(mounts, 'needs root, to mount a small file system');

/** A site whose state lies on a file system of that many KiB, all but `free` of them taken. */
async function fill(site: Site, { size, free }: { readonly size: number; readonly free: number }): Promise<() => Promise<void>> {
  const state = site.dir.join('state');
  await mkdir(state, { recursive: true });
  const { status, stderr } = await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${size}k`, 'tmpfs', state]);
  if (status !== 0) throw new Error(stderr);
  if (free < size) await writeFile(`${state}/ballast`, Buffer.alloc((size - free) * 1024));
  return async () => {
    await runCommand('umount', ['--lazy', state]);
  };
}

onSmallDisk('K01 not enough space for the packages: refused before they are fetched, and works when there is space', async (t) => {
  await using site = await openSite({ components: { main: DEBS } });
  const unmount = await fill(site, { size: 8192, free: 700 });
  try {
    const run = await site.update(['--quiet']);

    t.is(run.status, 1, run.stderr);
    t.regex(run.stderr, /^artifacts: E_NO_SPACE: Mirror "m" needs \d+ bytes more and \d+ are free[^\n]*\n$/);
    t.false(site.server.paths().some((path) => path.endsWith('.deb')));
    await rm(site.dir.join('state/ballast'));
    t.is((await site.update()).status, 0);
    t.is((await site.run(['db', 'check', '--deep'])).status, 0);
  } finally {
    await unmount();
  }
});

onSmallDisk('K01 a disk that is full at any point: one line, no torn state, and the next run completes it', async (t) => {
  await using site = await openSite({ components: { main: DEBS } });
  const outcomes = new Set<number>();
  for (const free of [0, 60, 150, 300, 950, 1050, 1150, 1250, 1500]) {
    const unmount = await fill(site, { size: 8192, free });
    try {
      const run = await site.update(['--quiet']);
      outcomes.add(run.status);
      if (run.status !== 0) {
        t.is(run.status, 1, `${free} KiB: ${run.stderr}`);
        t.regex(run.stderr, /^artifacts: E_NO_SPACE: [^\n]*\n$/, `${free} KiB`);
      }
      await rm(site.dir.join('state/ballast'));
      const again = await site.update(['--json', '--quiet']);
      t.is(again.status, 0, `${free} KiB: ${again.stderr}`);
      t.like(JSON.parse(again.stdout), { packages: DEBS.length });
      const check = await site.run(['db', 'check', '--deep']);
      t.is(check.status, 0, `${free} KiB: ${check.stdout}`);
      t.deepEqual(await readdir(site.dir.join('state/pool/incoming')).catch(() => []), []);
    } finally {
      await unmount();
    }
  }
  t.deepEqual([...outcomes].sort(), [0, 1]);
});

test('K14 rubbish of an interrupted run neither harms nor stays', async (t) => {
  await using site = await openSite({ components: { main: DEBS.slice(0, 2) } });
  const [first, second] = DEBS;
  const incoming = site.dir.join('state/pool/incoming/mirror-m');
  await mkdir(incoming, { recursive: true });
  await mkdir(site.dir.join('state/tmp/mirror-m'), { recursive: true });
  await writeFile(site.dir.join('state/tmp/mirror-m/spool'), 'left over');
  await writeFile(`${incoming}/${'0'.repeat(64)}`, 'nobody wants this');
  await writeFile(`${incoming}/${first?.sha256}`, Buffer.alloc(50_000, 'wrong from the start'));
  await writeFile(`${incoming}/${second?.sha256}`, second?.bytes ?? '');
  await truncate(`${incoming}/${second?.sha256}`, 60_000);

  const run = await site.update();

  t.is(run.status, 0, run.stderr);
  t.is((await site.run(['db', 'check', '--deep'])).status, 0);
  t.deepEqual(await readdir(site.dir.join('state/pool/incoming')), []);
  t.deepEqual(await readdir(site.dir.join('state/tmp')), []);
});

/** Bytes that do not compress, the same every time. */
function noise(length: number, seed: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}
