// Whoever passes the program on passes on what its pages are built from, and what these ask for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { packagesOfPages } from '../lib/bundle.mjs';

const copyright = readFileSync(new URL('../../deploy/debian/copyright', import.meta.url), 'utf8');
const web = new URL('../../web/', import.meta.url);

test('the copyright file names every package that the pages hold, as its license does', async () => {
  const packages = await packagesOfPages();
  assert.ok(packages.includes('preact') && packages.includes('uplot') && packages.length > 5);
  for (const name of [...packages, 'rapidoc']) {
    const { license } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, web)));
    const stanza = copyright.split('\n\n').find((part) => part.includes(`web/node_modules/${name}/*`));
    assert.ok(stanza, `${name} is not in deploy/debian/copyright`);
    assert.ok(stanza.includes(license === 'MIT' ? 'Expat' : license), `${name} is under ${license}`);
  }
});
