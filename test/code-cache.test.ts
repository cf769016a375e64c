import { mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLoader } from '../src/code-cache.js';
import { temporaryDirectory } from './support/temporary.js';

const root = temporaryDirectory();

/** A file as npm unpacks it: older than whatever is made of it. */
function writeOld(file: string, text: string): void {
  writeFileSync(file, text);
  utimesSync(file, 1, 1);
}

function program(): { directory: string; file: string; main(): string } {
  const directory = mkdtempSync(join(root, 'program-'));
  const file = join(directory, 'program.cjs');
  writeOld(file, `exports.name = 'program'; exports.main = () => require('./part.cjs').answer();`);
  writeOld(join(directory, 'part.cjs'), part('first'));
  return { directory, file, main: () => (createLoader().load(file) as { main: () => string }).main() };
}

function part(word: string): string {
  return `const { basename } = require('node:path'); exports.answer = () => basename(__filename) + ' ' + basename(__dirname).length + ' ${word} of ' + require('./program.cjs').name;`;
}

it('loads files that load each other, each once', () => {
  const { file, main } = program();
  expect(main()).toMatch(/^part\.cjs \d+ first of program$/);
  const { load } = createLoader();
  expect(load(file)).toBe(load(file));
});

it('runs the code that was kept, without compiling the source', () => {
  const { directory, file, main } = program();
  const loader = createLoader();
  (loader.load(file) as { main: () => string }).main();
  loader.store();
  // V8 sees no difference between sources of one length.
  writeOld(join(directory, 'part.cjs'), part('other'));
  expect(main()).toContain(' first of program');
});

it('lets kept code import', async () => {
  const { directory, file } = program();
  writeFileSync(join(directory, 'module.mjs'), 'export default 7;');
  writeOld(join(directory, 'part.cjs'), `exports.answer = async () => (await require.import(__dirname + '/module.mjs')).default;`);
  for (const _ of ['anew', 'with kept code']) {
    const loader = createLoader();
    expect(await (loader.load(file) as { main: () => Promise<number> }).main()).toBe(7);
    loader.store();
  }
});

it.each([
  ['a source that was edited in place', () => {}],
  ['another source', (directory: string) => writeFileSync(join(directory, 'part.cjs'), part('second'))],
  ['kept code that is broken', (directory: string) => writeFileSync(join(directory, 'part.cjs.v8'), 'nonsense')],
  ['kept code that is cut off', (directory: string) => writeFileSync(join(directory, 'part.cjs.v8'), '')],
])('compiles for %s', (_, change) => {
  const { directory, file, main } = program();
  const loader = createLoader();
  (loader.load(file) as { main: () => string }).main();
  loader.store();
  writeFileSync(join(directory, 'part.cjs'), part('third'));
  change(directory);
  expect(main()).toMatch(/ (?:second|third) of program$/);
});
