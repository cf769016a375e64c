import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMAND_WORDS, COMMANDS, OPTIONS } from '../../src/args.js';
import { completions } from '../../src/package/build/completions.js';
import { fillIn, generatedTexts } from '../../src/package/build/generated.js';
import { manPage } from '../../src/package/build/man.js';
import { PROJECT } from '../support/project.js';

const MANUAL = join(PROJECT, 'src/package/manual');
const directory = mkdtempSync(join(tmpdir(), 'acl-groups-documents-'));
afterAll(() => rmSync(directory, { recursive: true }));

const there = (program: string): boolean => (process.env.PATH ?? '').split(':').some((path) => existsSync(join(path, program)));

describe('the manual', () => {
  it.each(readdirSync(MANUAL))('has what the program knows about itself; else run: npm run manual (%s)', async (file) => {
    const text = readFileSync(join(MANUAL, file), 'utf8');
    expect(text).toBe(fillIn(text, await generatedTexts()));
  });

  it('has everything that is generated, so that no table of the configuration is missing', async () => {
    const manual = readdirSync(MANUAL).map((file) => readFileSync(join(MANUAL, file), 'utf8'));
    const missing = [...(await generatedTexts()).keys()].filter((name) => !manual.join('').includes(`<!-- generated: ${name} -->`));
    expect(missing).toEqual([]);
  });

  it('names no text that nobody generates', () => {
    expect(() => fillIn('<!-- generated: keys x -->\n', new Map([['a', 'b']]))).toThrow(
      'no generated text is called "keys x"; there are a',
    );
  });

  it.each(readdirSync(MANUAL).filter((file) => /\.\d\.md$/.test(file)))(
    'becomes a man page that neither mandoc nor groff finds fault with (%s)',
    (file) => {
      const page = join(directory, file);
      const made = manPage(readFileSync(join(MANUAL, file), 'utf8'), { name: 'x', section: 1, version: '1.2.3', date: '2026-11-24' });
      writeFileSync(page, made);
      // Groff comes with Debian's man; mandoc is installed where all suites run.
      if (there('groff'))
        expect(
          execFileSync('groff', ['-ww', '-man', '-Tutf8', '-z', page], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
        ).toBe('');
      if (there('mandoc')) expect(execFileSync('mandoc', ['-T', 'lint', '-W', 'warning', page], { encoding: 'utf8' })).toBe('');
    },
  );

  it('keeps quotes in headings, hyphens in options, blank lines in examples and the case of tables', () => {
    const text = '# x(1) -- y\n\n## \\[groups]\n\n### `a = "b"`\n\nuse `--a-b`\n\n```\na-b\n\nc\n```\n';
    expect(manPage(text, { name: 'x', section: 1, version: '1.2.3', date: '2026-11-24' })).toBe(
      `.TH "x" "1" "2026-11-24" "acl-groups 1.2.3" "acl-groups"
.SH "NAME"
\\fBx\\fR - y
.SH "\\[lB]groups\\[rB]"
.SS "\\fBa = \\(dqb\\(dq\\fR"
use \\fB\\-\\-a\\-b\\fR
.P
.RS 2
.nf
a\\-b

c
.fi
.RE
`,
    );
  });
});

describe('the completions', () => {
  const files = completions();

  it('know every command and option', () => {
    for (const text of Object.values(files)) {
      for (const command of COMMAND_WORDS) {
        expect(text).toContain(command);
        for (const option of COMMANDS[command].options) expect(text).toMatch(new RegExp(`(--|-l )${option}\\b`));
      }
    }
    expect(OPTIONS.config.letter).toBe('c');
  });

  it.runIf(there('bash'))('complete commands, options, providers and users in bash', () => {
    const file = join(directory, 'acl-groups.bash');
    writeFileSync(file, files['acl-groups.bash'] ?? '');
    const complete = (...words: readonly string[]): readonly string[] => {
      const script = `compopt() { :; }; . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _acl_groups; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script, 'bash', file, ...words], { encoding: 'utf8' })
        .trim()
        .split('\n');
    };
    expect(complete('acl-groups', 'lo')).toEqual(['lookup']);
    expect(complete('acl-groups', 'providers', '--s')).toEqual(['--schema']);
    expect(complete('acl-groups', '-p', 'unix,l')).toEqual(['unix,ldap']);
    expect(complete('acl-groups', 'lookup', '-D', '')).toEqual(['2.3', '2.4']);
    expect(complete('acl-groups', 'lookup', 'roo')).toEqual(['root']);
    expect(complete('acl-groups', 'serve', '-')).not.toContain('--verbose');
  });

  it.runIf(there('zsh'))('are zsh', () => {
    const file = join(directory, '_acl-groups');
    writeFileSync(file, files['_acl-groups'] ?? '');
    execFileSync('zsh', ['-n', file]);
  });

  it.runIf(there('fish'))('complete in fish', () => {
    const file = join(directory, 'acl-groups.fish');
    writeFileSync(file, files['acl-groups.fish'] ?? '');
    const complete = (line: string): readonly string[] =>
      execFileSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {
        encoding: 'utf8',
        env: { ...process.env, HOME: directory },
      })
        .trim()
        .split('\n')
        .map((one) => one.split('\t')[0] ?? '');
    expect(complete('acl-groups look')).toContain('lookup');
    expect(complete('acl-groups providers --s')).toEqual(['--schema']);
    expect(complete('acl-groups lookup roo')).toContain('root');
    expect(complete('acl-groups lookup --dovecot ')).toEqual(['2.3', '2.4']);
  });
});
