/** The URL as it may be shown: user, password and query, where tokens live, are hidden. */
export function redact(url: string | URL): string {
  const text = String(url);
  if (!URL.canParse(text)) return text.replace(/\/\/[^/@]*@/, '//***@');
  const parsed = new URL(text);
  const user = parsed.username !== '' || parsed.password !== '' ? '***@' : '';
  const query = parsed.search === '' ? '' : '?***';
  return `${parsed.protocol}//${user}${parsed.host}${parsed.pathname}${query}`;
}
