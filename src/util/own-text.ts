/** The same text in memory of its own: what was cut out of a text keeps all of that text in memory (V8's sliced strings). */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
