/**
 * What is shipped beside the program and made of its tables: manual pages, completions, the configuration's JSON Schema. With `--manual`,
 * writes the generated parts of the manual's Markdown anew instead; the tests compare them with the tables.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { configSchema } from '../../commands/config-schema.js';
import { completions } from './completions.js';
import { fillIn, generatedTexts } from './generated.js';
import { manPage } from './man.js';

const PACKAGE = 'src/package';
const DIST = 'dist';

/** The release that the documents belong to, as CHANGELOG.md dates it: the same for each build. */
function releaseDate(): string {
  const heading = new RegExp(`^## \\[${manifest.version.replaceAll('.', '\\.')}\\] - (\\d{4}-\\d\\d-\\d\\d)$`, 'm');
  const [, date] = heading.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
  if (date === undefined) throw new Error(`CHANGELOG.md has no dated heading for ${manifest.version}`);
  return date;
}

/** The pages with a section in their name become man pages; the others, which have tables, are shipped as they are. */
function manuals(): readonly {
  readonly file: string;
  readonly name: string;
  readonly section: number | undefined;
  readonly text: string;
}[] {
  const directory = join(PACKAGE, 'manual');
  return readdirSync(directory).map((file) => {
    const [, name = file, section] = /^(.*)\.(\d)\.md$/.exec(file) ?? [];
    const text = readFileSync(join(directory, file), 'utf8');
    return { file: join(directory, file), name, section: section === undefined ? undefined : Number(section), text };
  });
}

async function refreshManual(): Promise<void> {
  const generated = await generatedTexts();
  for (const { file, text } of manuals()) writeFileSync(file, fillIn(text, generated));
}

async function build(): Promise<void> {
  for (const directory of ['man', 'doc', 'completions']) mkdirSync(join(DIST, directory), { recursive: true });
  for (const directory of ['systemd', 'dovecot', 'examples']) cpSync(join(PACKAGE, directory), join(DIST, directory), { recursive: true });
  const date = releaseDate();
  const generated = await generatedTexts();
  for (const { name, section, text } of manuals()) {
    const filled = fillIn(text, generated);
    if (section === undefined) writeFileSync(join(DIST, 'doc', name), filled);
    else writeFileSync(join(DIST, 'man', `${name}.${section}`), manPage(filled, { name, section, version: manifest.version, date }));
  }
  for (const [name, text] of Object.entries(completions())) writeFileSync(join(DIST, 'completions', name), text);
  writeFileSync(join(DIST, 'acl-groups.schema.json'), `${JSON.stringify(await configSchema(), undefined, 2)}\n`);
}

await (process.argv.includes('--manual') ? refreshManual() : build());
