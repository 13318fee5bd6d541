/** What we merge of modules.yaml, read by libmodulemd, and compared with what its own merger makes of the same sources. */
import { writeFile } from 'node:fs/promises';
import { mergeModules } from '../../../src/formats/rpm/merge-modules.ts';
import { newerTools } from '../../rig/newer-tools.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';

const { run, reason } = await newerTools();
const newer = testWith(run !== undefined, reason ?? '');

const stream = (name: string, version: string, more = ''): string => `---
document: modulemd
version: 2
data:
  name: ${name}
  stream: "1.10"
  version: ${version}
  context: deadbeef
  arch: x86_64
  summary: About ${name}
  description: >-
    What ${name} is,
    in two lines.
  license:
    module:
    - MIT
    content:
    - GPL-2.0-or-later
  xmd:
    anything: {of: [the, builder]}
  dependencies:
  - requires:
      platform: [el9]
  profiles:
    common:
      rpms:
      - ${name}
  api:
    rpms:
    - ${name}
${more}  artifacts:
    rpms:
    - ${name}-0:1.10-1.x86_64
...
`;

const defaults = (module: string, modified: string, rest: string): string => `---
document: modulemd-defaults
version: 1
data:
  module: ${module}
  modified: ${modified}
${rest}...
`;

const translations = (modified: string, summary: string): string => `---
document: modulemd-translations
version: 1
data:
  module: one
  stream: "1.10"
  modified: ${modified}
  translations:
    de_DE:
      summary: ${summary}
...
`;

const obsoletes = (modified: string, message: string): string => `---
document: modulemd-obsoletes
version: 1
data:
  modified: ${modified}
  module: one
  stream: "1.10"
  message: ${message}
  eol_date: 2030-01-01T00:00Z
  obsoleted_by:
    module: two
    stream: "1.10"
...
`;

const DEFAULT_STREAM = '  stream: "1.10"\n  profiles:\n    "1.10": [common]\n';
const OTHER_STREAM = '  stream: "2"\n  profiles:\n    "2": [minimal]\n';
const NO_STREAM = '  profiles:\n    "2": [minimal]\n';
const [OLD, NEW] = ['202001010000', '202101010000'] as const;

/** The sources of one merge. Where libmodulemd gives up or leaves open what happens, there is nothing to compare with. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  'modules of their own': [stream('one', '1'), stream('two', '1')],
  'versions of one stream': [stream('one', '20200101000000'), stream('one', '20200101000001')],
  'the same document twice': [stream('one', '1') + defaults('one', OLD, DEFAULT_STREAM), stream('one', '1') + defaults('one', OLD, DEFAULT_STREAM)],
  'packages built for it': [stream('one', '1', '  components:\n    rpms:\n      one:\n        rationale: needed\n        ref: main\n'), stream('two', '2')],
  'newer defaults': [defaults('one', OLD, DEFAULT_STREAM), defaults('one', NEW, OTHER_STREAM)],
  'older defaults': [defaults('one', NEW, OTHER_STREAM), defaults('one', OLD, DEFAULT_STREAM)],
  'defaults of one time, for other streams': [defaults('one', OLD, DEFAULT_STREAM), defaults('one', OLD, OTHER_STREAM)],
  'defaults of one time, one without a stream': [defaults('one', OLD, NO_STREAM), defaults('one', OLD, DEFAULT_STREAM)],
  'defaults of one time, for other purposes': [defaults('one', OLD, `${DEFAULT_STREAM}  intents:\n    server:\n      stream: "2"\n      profiles:\n        "2": [server]\n`), defaults('one', OLD, `${DEFAULT_STREAM}  intents:\n    desktop:\n      stream: "3"\n      profiles:\n        "3": [desktop]\n`)],
  'newer defaults without a stream': [defaults('one', OLD, DEFAULT_STREAM), defaults('one', NEW, NO_STREAM)],
  'older defaults with a stream': [defaults('one', NEW, NO_STREAM), defaults('one', OLD, DEFAULT_STREAM)],
  'newer defaults with other profiles': [defaults('one', OLD, DEFAULT_STREAM), defaults('one', NEW, '  stream: "1.10"\n  profiles:\n    "1.10": [minimal]\n')],
  'older defaults with other profiles': [defaults('one', NEW, '  stream: "1.10"\n  profiles:\n    "1.10": [minimal]\n'), defaults('one', OLD, DEFAULT_STREAM)],
  'newer intents': [defaults('one', OLD, `${DEFAULT_STREAM}  intents:\n    server:\n      stream: "2"\n      profiles:\n        "2": [server]\n        "4": [x]\n`), defaults('one', NEW, `${DEFAULT_STREAM}  intents:\n    server:\n      stream: "3"\n      profiles:\n        "3": [desktop]\n`)],
  'disputed, then settled': [defaults('one', OLD, DEFAULT_STREAM), defaults('one', OLD, OTHER_STREAM), defaults('one', NEW, '  stream: "3"\n  profiles:\n    "3": [minimal]\n')],
  'settled, then disputed by older ones': [defaults('one', NEW, '  stream: "3"\n  profiles:\n    "3": [minimal]\n'), defaults('one', OLD, DEFAULT_STREAM), defaults('one', OLD, OTHER_STREAM)],
  'disputed, then the newer one without a stream': [defaults('one', OLD, DEFAULT_STREAM), defaults('one', OLD, OTHER_STREAM), defaults('one', NEW, '  profiles:\n    "3": [minimal]\n')],
  'newer translations': [stream('one', '1') + translations(OLD, 'Alt'), translations(NEW, 'Neu')],
  'older translations': [stream('one', '1') + translations(NEW, 'Neu'), translations(OLD, 'Alt')],
  'obsolete twice': [stream('one', '1') + obsoletes('2020-01-01T00:00Z', 'old'), stream('two', '1') + obsoletes('2021-01-01T00:00Z', 'new')],
};

const READ = `
import gi, json, sys
gi.require_version('Modulemd', '2.0')
from gi.repository import Modulemd

def load(path):
    index = Modulemd.ModuleIndex()
    good, failures = index.update_from_file(path, True)
    return index, [failure.get_gerror().message for failure in failures]

def merge(paths):
    merger = Modulemd.ModuleIndexMerger()
    for path in paths:
        merger.associate_index(load(path)[0], 0)
    return merger.resolve_ext(False).dump_to_string()

answer = {}
for name, (own, sources) in json.load(open(sys.argv[1])).items():
    index, failures = load(own)
    answer[name] = {'failures': failures, 'own': index.dump_to_string(), 'theirs': merge(sources)}
print(json.dumps(answer))
`;

newer('modules of several sources: libmodulemd reads what we merge, and merges them to the same', async (t) => {
  await using dir = await tempDir();
  const write = async (name: string, bytes: string | Buffer): Promise<string> => {
    await writeFile(dir.join(name), bytes);
    return dir.join(name);
  };
  const cases: Record<string, readonly [string, readonly string[]]> = {};
  for (const [at, [name, sources]] of Object.entries(CASES).entries()) {
    const own = mergeModules(sources.map((source) => Buffer.from(source)), () => {});
    cases[name] = [await write(`${at}.yaml`, own), await Promise.all(sources.map((source, number) => write(`${at}-${number}.yaml`, source)))];
  }

  const { status, stdout, stderr } = await run!('python3', ['-c', READ, await write('cases.json', JSON.stringify(cases))]);

  t.is(status, 0, stderr);
  const answer = JSON.parse(stdout) as Readonly<Record<string, { readonly failures: readonly string[]; readonly own: string; readonly theirs: string }>>;
  t.deepEqual(Object.keys(answer), Object.keys(CASES));
  for (const [name, { failures, own, theirs }] of Object.entries(answer)) {
    t.deepEqual(failures, [], name);
    t.is(own, theirs, name);
  }
});
