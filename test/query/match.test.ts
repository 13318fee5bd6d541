import test from 'ava';
import { apt } from '../../src/formats/apt/index.ts';
import { matcher } from '../../src/query/match.ts';
import { parseQuery } from '../../src/query/parse.ts';
import { packages } from './packages.ts';

const WORLD = packages(`Package: nginx
Version: 1.22.1-9
Architecture: amd64
Section: httpd
Provides: httpd, httpd-cgi (= 2.0)
Installed-Size: 1300
Maintainer: Jane Doe <jane@example.org>
Description: small, powerful web server
 And a proxy.

Package: nginx-doc
Source: nginx (1.22.0)
Version: 1.22.1-9
Architecture: all
Section: doc
Installed-Size: 90

Package: nginx
X-Index: source
Version: 1.22.1-9
Architecture: any all
Section: httpd

Package: apache2
Version: 2.4.57-2
Architecture: i386
Section: httpd
Provides: httpd
Homepage:
Installed-Size: unknown

Package: nginx-udeb
X-Index: debian-installer-amd64
Architecture: amd64
Version: 1:1.0
`);

/** The matching packages as `name/architecture`, in the order above. */
function found(query: string): string[] {
  const parsed = parseQuery(query);
  return WORLD.filter(matcher(parsed, apt)).map((one) => `${one.name}/${one.architecture}`);
}

const NGINX = 'nginx/amd64';
const DOC = 'nginx-doc/all';
const SOURCE = 'nginx/source';
const APACHE = 'apache2/i386';
const UDEB = 'nginx-udeb/amd64';

const CASES: readonly (readonly [string, readonly string[]])[] = [
  // a package, like a dependency
  ['nginx', [NGINX, SOURCE]],
  ['httpd', [NGINX, APACHE]],
  ['nginx (>= 1.22)', [NGINX, SOURCE]],
  ['nginx(>>1.22.1-9)', []],
  ['nginx (= 0:1.22.1-9)', [NGINX, SOURCE]],
  ['httpd-cgi (>= 1)', [NGINX]],
  ['httpd-cgi (>= 3)', []],
  ['httpd (>= 0)', []], // an unversioned Provides meets no version
  ['nginx (% 1.22.*)', [NGINX, SOURCE]],
  ['nginx {amd64}', [NGINX]],
  ['nginx-doc {amd64}', [DOC]],
  ['nginx {source}', [SOURCE]],
  ['nginx-doc {source}', []],
  // one exact package
  ['nginx_1.22.1-9_amd64', [NGINX]],
  ['nginx_1.22.1-9_i386', []],
  ['nginx_0:1.22.1-9_amd64', []],
  // fields
  ['Name (= httpd)', []],
  ['Name (= nginx)', [NGINX, SOURCE]],
  ['Name (% nginx-*)', [DOC, UDEB]],
  ['Name (~ ^n.*x$)', [NGINX, SOURCE]],
  ['section (= doc)', []], // a small letter: a package called so
  ['Section (= doc)', [DOC]],
  ['SECTION (doc)', [DOC]],
  ['Section (>> doc)', [NGINX, SOURCE, APACHE]],
  ['Section (<= doc)', [DOC]],
  ['Section', [NGINX, DOC, SOURCE, APACHE]],
  ['Homepage', []], // there, but empty
  ['Homepage (= "")', [APACHE]],
  ['!Section', [UDEB]],
  ['Section (% *)', [NGINX, DOC, SOURCE, APACHE]],
  ['Maintainer (% "*Doe*")', [NGINX]],
  ['Description (~ "web server\\\\nAnd")', [NGINX]],
  // versions by the format's order, sizes as numbers, the rest as text
  ['Version (>> 1.22.1)', [NGINX, DOC, SOURCE, APACHE, UDEB]],
  ['Version (>> 1.22.1-10)', [APACHE, UDEB]],
  ['$Version (<< 2)', [NGINX, DOC, SOURCE]],
  ['Installed-Size (>= 200)', [NGINX]],
  ['Installed-Size (<< 200)', [DOC]],
  ['Installed-Size (= 090)', [DOC]],
  ['Installed-Size (~ ^u)', [APACHE]],
  ['Section (= doc-0)', []], // as versions they would be equal
  // what is no field
  ['$Architecture (= amd64)', [NGINX, UDEB]],
  ['$Architecture (= all)', [DOC]],
  ['$Architecture (= source)', [SOURCE]],
  ['$PackageType (= deb)', [NGINX, DOC, APACHE]],
  ['$PackageType (= udeb)', [UDEB]],
  ['$PackageType (source)', [SOURCE]],
  ['$Source (= nginx)', [NGINX, DOC, SOURCE]],
  ['$SourceVersion (= 1.22.0)', [DOC]],
  ['$SourceVersion (>= 2)', [APACHE, UDEB]],
  // together
  ['nginx | nginx-doc', [NGINX, DOC, SOURCE]],
  ['nginx | Section (= doc) | httpd', [NGINX, DOC, SOURCE, APACHE]],
  ['httpd, !nginx', [APACHE]],
  ['!(nginx | httpd), $PackageType (= deb)', [DOC]],
  ['nginx, $Architecture (= amd64) | apache2', [NGINX, APACHE]],
];

for (const [query, expected] of CASES) {
  test(`${query} means ${expected.length === 0 ? 'nothing' : expected.join(', ')}`, (t) => {
    t.deepEqual(found(query), [...expected]);
  });
}
