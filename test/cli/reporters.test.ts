import { Writable } from 'node:stream';
import test from 'ava';
import type { Output } from '../../src/cli/output.ts';
import { barText } from '../../src/cli/reporters/bar.ts';
import { jsonReporter } from '../../src/cli/reporters/json.ts';
import { linesReporter } from '../../src/cli/reporters/lines.ts';
import { createMeter } from '../../src/cli/reporters/meter.ts';
import type { Reporter, ReporterOptions } from '../../src/cli/reporters/reporter.ts';
import { ttyReporter } from '../../src/cli/reporters/tty.ts';
import { amountText, durationText } from '../../src/cli/reporters/units.ts';
import type { Event, ProgressEvent } from '../../src/core/event.ts';
import { bytesText } from '../../src/util/bytes-text.ts';

const MB = 1_000_000;

function progress(done: number, changes: Partial<ProgressEvent> = {}): ProgressEvent {
  return { type: 'progress', id: 'a', label: 'debian: packages', done, total: 100 * MB, unit: 'bytes', ...changes };
}

/** A reporter with a clock of its own: `at(seconds, event)` reports an event at that time. */
function watched(create: (options: ReporterOptions) => Reporter, columns = 100) {
  let text = '';
  let time = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const output: Output = Object.assign(sink, { isTTY: true, columns, rows: 24 });
  const reporter = create({ output, now: () => time });
  return {
    at(seconds: number, event: Event) {
      time = seconds * 1000;
      reporter.report(event);
    },
    close: () => reporter.close(),
    /** What was written since the last call, ESC shown as `^`. */
    take() {
      const taken = text.replaceAll('\u001b', '^');
      text = '';
      return taken;
    },
  };
}

test('one is one: amounts have the number that fits', (t) => {
  t.deepEqual([0, 1, 2].map((count) => amountText(count, 'files')), ['0 files', '1 file', '2 files']);
});

test('lines: each event is a line, and a lock holder is named', (t) => {
  const log = watched(linesReporter);
  const holder = { pid: 123, host: 'build1', command: 'artifacts build', since: '2026-01-02T03:04:05Z' };

  log.at(0, { type: 'phase', subject: 'debian', text: 'reading\u001b[2J Packages\n' });
  log.at(0, { type: 'waiting', lock: 'aptly', holder });
  log.at(0, { type: 'waiting', lock: 'aptly', holder: undefined });

  t.is(
    log.take(),
    String.raw`debian: reading\u001b[2J Packages\n` +
      '\nwaiting for the aptly lock held by pid 123 on build1 (command artifacts build) since 2026-01-02T03:04:05Z\n' +
      'waiting for the aptly lock\n',
  );
});

test('lines: nodes are a table with the time each took', (t) => {
  const log = watched(linesReporter);

  log.at(0, { type: 'node', node: 'apt/debian', state: 'running' });
  log.at(75, { type: 'node', node: 'apt/debian', state: 'done', detail: '3 packages' });
  log.at(75, { type: 'node', node: 'apt/ubuntu', state: 'blocked' });

  t.is(log.take(), 'running  apt/debian\ndone     apt/debian  3 packages  (1 min 15 s)\nblocked  apt/ubuntu\n');
});

test('lines: a long step is shown each 5 seconds or at a quarter, with rate and time left', (t) => {
  const log = watched(linesReporter);

  log.at(0, progress(0));
  log.at(1, progress(1 * MB));
  log.at(4, progress(4 * MB));
  t.is(log.take(), '');
  log.at(5, progress(5 * MB));
  t.is(log.take(), 'debian: packages: 5 %, 5.0 MB of 100 MB, 1.0 MB/s, 1 min 35 s left\n');
  log.at(6, progress(24 * MB));
  t.is(log.take(), '');
  log.at(7, progress(28 * MB));
  t.is(log.take(), 'debian: packages: 28 %, 28 MB of 100 MB, 4.0 MB/s, 18 s left\n');
  log.at(10, progress(100 * MB));
  log.at(10, { type: 'progress-end', id: 'a' });
  t.is(
    log.take(),
    'debian: packages: 100 %, 100 MB of 100 MB, 10 MB/s, 0 s left\ndebian: packages: 100 MB in 10 s (10 MB/s)\n',
  );
});

test('lines: a thousand quick events are one line at the end', (t) => {
  const log = watched(linesReporter);

  for (let done = 0; done <= 1000; done += 1) log.at(done / 2000, progress(done, { total: 1000, unit: 'files' }));
  log.at(0.5, { type: 'progress-end', id: 'a' });
  log.at(0.5, { type: 'progress-end', id: 'unknown' });

  t.is(log.take(), 'debian: packages: 1000 files\n');
});

test('json: events are told as they are, long steps at most once a second', (t) => {
  const log = watched(jsonReporter);

  for (let done = 0; done < 20; done += 1) log.at(done / 10, progress(done));
  log.at(2, { type: 'note', message: '\u009b' });

  const lines = log.take().trimEnd().split('\n');
  t.deepEqual(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown), [progress(0), progress(10)]);
  t.is(lines[2], String.raw`{"type":"note","message":"\u009b"}`);
  t.is(lines.length, 3);
});

test('tty: bars of several steps are drawn over in place, at most ten times a second', (t) => {
  const screen = watched(ttyReporter);

  screen.at(0, progress(0));
  t.true(screen.take().startsWith('^[?25ldebian: packages'), 'the cursor is hidden');
  screen.at(0.05, progress(1 * MB));
  t.is(screen.take(), '', 'too soon');
  screen.at(1, progress(50 * MB));
  t.regex(screen.take(), /^\^\[1A\rdebian: packages {2}\[#{15}-{15}\] {2}50 % {2}50 MB of 100 MB {2}50 MB\/s {2}1 s left/);
  screen.at(2, progress(0, { id: 'b', label: 'ubuntu: packages' }));
  t.regex(screen.take(), /^\^\[1A\rdebian[^\n]+\nubuntu[^\n]+\n\^\[J$/);
  screen.at(3, { type: 'note', message: 'hello' });
  t.regex(screen.take(), /^\^\[2A\rhello\^\[K\ndebian[^\n]+\nubuntu[^\n]+\n\^\[J$/, 'lines stay above');
  screen.at(4, { type: 'progress-end', id: 'a' });
  t.regex(screen.take(), /^\^\[2A\rubuntu[^\n]+\n\^\[J$/);
  screen.close();
  t.is(screen.take(), '^[1A\r^[J^[?25h', 'the bar goes and the cursor comes back');
  screen.close();
  t.is(screen.take(), '');
});

test('tty: running nodes are live rows, ended ones stay', (t) => {
  const screen = watched(ttyReporter);

  screen.at(0, { type: 'node', node: 'apt/debian', state: 'running' });
  t.regex(screen.take(), /running {2}apt\/debian {2}\(0 s\)/);
  screen.at(9, { type: 'node', node: 'apt/debian', state: 'failed', detail: 'E_HASH' });
  t.is(screen.take(), '^[1A\rfailed   apt/debian  E_HASH  (9 s)^[K\n^[J^[?25h');
});

test('tty: what does not fit the screen is counted', (t) => {
  const screen = watched(ttyReporter);

  for (let index = 0; index < 40; index += 1) screen.at(index, progress(0, { id: `${index}`, label: `step ${index}` }));

  t.regex(screen.take(), /and 29 more\^\[K\n\^\[J$/);
});

test('a bar never is wider than the terminal', (t) => {
  let time = 0;
  const meter = createMeter(progress(0, { label: 'a label that is rather long for this' }), () => time);
  time = 1000;
  meter.add(progress(33 * MB, { label: 'a label that is rather long for this' }));

  for (let width = 20; width < 140; width += 1) {
    const text = barText(meter.latest, width);
    t.true(text.length <= width, `${width}: ${text}`);
    t.regex(text, /33 %/);
  }
});

test('a stalled step has no time left to show, an unknown total no percent', (t) => {
  let time = 0;
  const meter = createMeter(progress(10 * MB), () => time);
  time = 20_000;
  t.is(meter.add(progress(10 * MB)).secondsLeft, undefined);
  t.is(meter.add(progress(10 * MB, { total: 0 })).fraction, 0);
});

test('amounts are as people read them', (t) => {
  t.deepEqual([0, 999, 1000, 1500, 999_999, 12_345_678, 62e9].map(bytesText), [
    '0 B',
    '999 B',
    '1.0 kB',
    '1.5 kB',
    '1.0 MB',
    '12 MB',
    '62 GB',
  ]);
  t.deepEqual([0.4, 59.6, 65, 3599.7, 7260].map(durationText), [
    '0 s',
    '1 min 00 s',
    '1 min 05 s',
    '1 h 00 min',
    '2 h 01 min',
  ]);
});
