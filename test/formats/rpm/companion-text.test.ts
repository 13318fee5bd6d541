/** What is told by its shape is what the XML parser says, whatever is done to it. */
import test from 'ava';
import fc from 'fast-check';
import { isArtifactsError } from '../../../src/core/errors.ts';
import { companionId } from '../../../src/formats/rpm/companion-text.ts';
import { parsePackage } from '../../../src/formats/rpm/package-chunks.ts';

const HEAD = `<package pkgid="${'0a'.repeat(32)}" name="a+b" arch="noarch">\n  <version epoch="0" ver="1.0~rc1" rel="1^git"/>\n`;
const FILELISTS = `${HEAD}  <file>/usr/bin/a</file>\n  <file type="dir">/usr/share/ä &amp; ö</file>\n<file type="ghost">/x</file></package>`;
const OTHER = `${HEAD}  <changelog author="Ada &lt;ada@example.org&gt; - 1.0-1" date="1700000000">- first\n- "second" 'third' ]] &gt;</changelog>\n</package>`;

/** What breaks XML, and what looks as if it did. */
const PIECES = [
  '&', '&amp;', '&lt', '&#0;', '&#65;', '&nbsp;', '<', '>', '"', "'", ']]>', ']]', '\u0000', '\u000b', '\u00a0', '\u0085', '\ufffe', '\uffff', '\ufeff', '\u{1f600}',
  '<file>', '</file>', '</package>', '<file/>', '<!-- a -->', '<![CDATA[a]]>', '<?a b?>', ' type="dir"', ' xmlns="b"', ' a:b="c"', ' ', '\n', '\r', '/', '=', 'pkgid=""', '<rpm:file>a</rpm:file>',
].map((piece) => Buffer.from(piece)).concat(Buffer.from([0xff]), Buffer.from([0xa0]), Buffer.from([0xed, 0xa0, 0x80]));

interface Change {
  readonly at: number;
  readonly drop: number;
  readonly piece: Buffer;
}

const changes = fc.array(fc.record({ at: fc.integer({ min: 0, max: 400 }), drop: fc.oneof(fc.constant(0), fc.nat(12)), piece: fc.constantFrom(Buffer.alloc(0), ...PIECES) }), { maxLength: 3 });

function changed(text: Buffer, { at, drop, piece }: Change): Buffer {
  return Buffer.concat([text.subarray(0, at), piece, text.subarray(at + drop)]);
}

function verdict(read: () => string | undefined): string {
  try {
    return read() ?? 'no pkgid';
  } catch (error) {
    if (isArtifactsError(error, 'E_FORMAT')) return 'refused';
    throw error;
  }
}

for (const [kind, text] of [['filelists', FILELISTS], ['other', OTHER]] as const) {
  test(`${kind}: the shape of a package tells what its XML tells`, (t) => {
    let good = 0;
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = list.reduce(changed, Buffer.from(text));
        const parsed = verdict(() => {
          const { pkgid, name } = parsePackage(bytes, kind).attributes;
          return name === undefined || pkgid === undefined ? 'refused' : pkgid;
        });
        if (parsed !== 'refused') good += 1;
        t.is(verdict(() => companionId(bytes, kind)), parsed, bytes.toString());
      }),
      { numRuns: 4000 },
    );
    t.true(good > 100, `${good} were well-formed`);
  });
}
