/** The index that pip reads of a release: PEP 503's pages with PEP 691's documents beside them, for any static server. Pure. */
import type { Listing } from '../kind.ts';
import type { ListedWheel } from './facts.ts';
import { escapeHtml, htmlPage, projectPage } from './index-page.ts';

const META = { 'api-version': '1.1' };

/** `<place>/simple/…`; the wheels lie in the place itself. */
export function simpleIndex(place: string, wheels: readonly ListedWheel[]): readonly Listing[] {
  const names = [...new Set(wheels.map(({ name }) => name))].sort();
  const links = names.map((name) => `<a href="${escapeHtml(name)}/">${escapeHtml(name)}</a><br>\n`);
  return [
    listing(`${place}/simple/index.html`, htmlPage('Simple index', links.join(''))),
    listing(`${place}/simple/index.json`, json({ meta: META, projects: names.map((name) => ({ name })) })),
    ...names.flatMap((name) => projectListings(`${place}/simple/${name}`, name, wheels.filter((wheel) => wheel.name === name))),
  ];
}

function projectListings(folder: string, name: string, wheels: readonly ListedWheel[]): readonly Listing[] {
  const files = wheels.map((wheel) => ({ ...wheel, url: `../../${encodeURIComponent(wheel.file)}` }));
  const html = files.map(({ requiresPython, ...file }) => ({ ...file, ...(requiresPython !== null && { requiresPython }) }));
  const documents = files.map(({ file, url, sha256, metadata, size, requiresPython }) => ({
    filename: file,
    url,
    hashes: { sha256 },
    ...(requiresPython !== null && { 'requires-python': requiresPython }),
    'core-metadata': { sha256: metadata },
    'data-dist-info-metadata': { sha256: metadata },
    size,
    yanked: false,
  }));
  const versions = [...new Set(wheels.map(({ version }) => version))].sort();
  return [
    listing(`${folder}/index.html`, projectPage(name, html)),
    listing(`${folder}/index.json`, json({ meta: META, name, versions, files: documents })),
  ];
}

/** A page with a link to each file in a folder, seen from the page, as `pip --find-links` reads it. */
export function linksPage(title: string, folder: string, wheels: readonly { readonly file: string; readonly sha256: string }[]): string {
  const links = wheels.map(({ file, sha256 }) => `<a href="${folder}${encodeURIComponent(file)}#sha256=${sha256}">${escapeHtml(file)}</a><br>\n`);
  return htmlPage(title, links.join(''));
}

function listing(path: string, text: string): Listing {
  return { path, bytes: text, signed: false };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
