import test from 'ava';
import { configPlaces } from '../../src/config/show.ts';
import { mirror, mirrors, sources } from './support.ts';

test('every value is shown with its place, defaults and environment after them, passwords hidden', async (t) => {
  const text = `${mirrors(mirror('one', 'fallback_urls: ["http://user:secret@b.example.org/x"]').replace('bookworm', '"{{ suite }}"'))}suite: trixie\naptly_repos: []\n`;

  const values = await configPlaces({
    root: '/nowhere',
    environment: { PUSH_TO_MIRROR: 'no' },
    sources: sources({ 'vars/a.yml': text, 'vars/b.yml': 'publish: {origin: Example}\naptly_user: x\n' }),
  });

  const of = (name: string) => values.find((value) => value.name === name);
  t.deepEqual(of('aptly_mirrors[0].distribution'), { name: 'aptly_mirrors[0].distribution', value: 'trixie', from: 'vars/a.yml:4:19' });
  t.deepEqual(of('aptly_mirrors[0].fallback_urls[0]'), {
    name: 'aptly_mirrors[0].fallback_urls[0]',
    value: 'http://***@b.example.org/x',
    from: 'vars/a.yml:7:21',
  });
  t.like(of('aptly_repos'), { value: [], from: 'vars/a.yml:9:14' });
  t.like(of('publish.origin'), { value: 'Example', from: 'vars/b.yml:1:19' });
  t.like(of('publish.keep_generations'), { value: 3, from: 'default' });
  t.like(of('aptly_architectures[0]'), { value: 'native', from: 'default' });
  t.like(of('environment.push'), { value: false, from: 'environment' });
  t.is(of('aptly_user'), undefined);
  t.is(values.filter(({ name }) => name === 'publish.origin').length, 1);
});
