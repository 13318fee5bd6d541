/** Words that every JavaScript object answers to are words like others where somebody else writes them. */
import test from 'ava';
import { apt } from '../../src/formats/apt/index.ts';
import { rpm } from '../../src/formats/rpm/index.ts';
import { checkModules, mergeModules } from '../../src/formats/rpm/merge-modules.ts';

const WORDS = ['constructor', 'toString', '__proto__', 'hasOwnProperty'] as const;

const PRIMARY = '<package type="rpm"><name>a</name></package>\n';
const RECORD = { format: 'rpm', partition: 'noarch', name: 'a', version: '1-1', architecture: 'noarch', files: [], text: Buffer.from(`${PRIMARY.length} 0 0\n${PRIMARY}`) };

for (const word of WORDS) {
  test(`a field, an architecture, a type or a suffix may be called ${word}`, (t) => {
    const { publishing, local, subject } = rpm;
    t.is(subject(RECORD).field(word), undefined);
    t.deepEqual(publishing.architectures([word, 'x86_64'], []), [word, 'x86_64'].sort());
    t.deepEqual(publishing.architectures([], [word]), [word]);
    t.deepEqual(publishing.indexes({ component: 'main', partitions: new Set([word]) }, [word])[0]?.partitions, [word, 'noarch']);

    const listed = JSON.stringify({ packing: 'none', plain: { size: 0, sha256: '' }, extension: '' });
    t.is(publishing.listed.read({ name: word, text: Buffer.from(listed) }).name, word);
    t.is(publishing.listed.combine(word), undefined);
    if (word !== '__proto__') t.is(local.metadata?.typeNamed(word), word);

    t.is(apt.local.kindOf(`file.${word}`), undefined);
  });

  test(`a document about modules may call itself ${word}`, (t) => {
    const source = Buffer.from(`---\ndocument: ${word}\ndata: {name: a}\n`);
    t.throws(() => checkModules(source, 'modules.yaml'), { code: 'E_FORMAT', message: /is no kind of document/ });
    const notes: string[] = [];
    t.regex(mergeModules([source, source], (note) => notes.push(note)).toString(), /name: a/);
    t.deepEqual(notes, []);
  });
}
