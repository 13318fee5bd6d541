/**
 * Text from upstreams, files and the command line reaches the terminal through these functions only: control characters
 * could move the cursor, rename the window or, as bidirectional overrides, show another order than the bytes have.
 */

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex -- as above, without tab and newline
const UNSAFE_IN_BLOCK = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The text as one line: every control character is shown as an escape. */
export function printableLine(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The text with its newlines and tabs kept and every other control character shown as an escape. */
export function printableBlock(text: string): string {
  return text.replace(UNSAFE_IN_BLOCK, escaped);
}

/** JSON text, which escapes only what is below U+0020 by itself, with the other control characters escaped too. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE_IN_JSON, unicodeEscape);
}

function escaped(character: string): string {
  switch (character) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      return unicodeEscape(character);
  }
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
