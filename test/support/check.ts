import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RunResult, World } from './world.js';

/** One finding of `acl-groups check --json`. */
export interface CheckFinding {
  readonly section: string;
  readonly check: string;
  readonly level: 'ok' | 'warning' | 'error';
  readonly place: string;
  readonly message: string;
  readonly fix?: string;
}

export interface CheckRun {
  readonly findings: readonly CheckFinding[];
  readonly result: RunResult;
  /** Those of one check that are not ok. */
  faults(check: string): readonly CheckFinding[];
}

/** Runs `acl-groups check --json` in a world. `before` is shell text that is run in the same mount namespace first. */
export async function runCheck(world: World, command: string, words: readonly string[], before = 'true'): Promise<CheckRun> {
  const result = await world.run(['/bin/sh', '-c', `${before} && exec "$@"`, 'sh', command, 'check', '--json', ...words]);
  const findings = result.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CheckFinding);
  expect(result).toMatchObject({ status: findings.some(({ level }) => level === 'error') ? 78 : 0, stderr: '' });
  return { findings, result, faults: (check) => findings.filter((finding) => finding.check === check && finding.level !== 'ok') };
}

interface Step {
  readonly what: string;
  readonly lines: readonly string[];
}

/** A fix as its steps: a line each, and what is indented below it. */
function stepsOf(fix: string): readonly Step[] {
  const steps: { what: string; lines: string[] }[] = [];
  for (const line of fix.split('\n')) {
    if (line === '' || line.startsWith('  ')) steps.at(-1)?.lines.push(line.slice(2));
    else steps.push({ what: line.replace(/:$/, ''), lines: [] });
  }
  return steps;
}

/** Does what a fix says, as an administrator would: pastes, writes, sets and runs. `conf` is the dovecot.conf. */
export async function applyFix(world: World, conf: string, fix: string | undefined): Promise<void> {
  if (fix === undefined) throw new Error('there is no fix');
  for (const { what, lines } of stepsOf(fix)) {
    const [, append] = /^add to the end of (\S+)$/.exec(what) ?? [];
    const [, created] = /^write (\S+)$/.exec(what) ?? [];
    const [, table, toml] = /^in \[(groups|userdb)\] of (\S+), set$/.exec(what) ?? [];
    const [, settings] = /^in (\/\S+), set$/.exec(what) ?? [];
    const [, key, value] = /^in the userdb block with (driver|args) = (\S+), set$/.exec(what) ?? [];
    const [, shell] = /^(?:then )?run: (.+)$/.exec(what) ?? [];
    if (append !== undefined) change(append, (text) => `${text}\n${lines.join('\n')}\n`);
    else if (created !== undefined) writeFileSync(created, `${lines.join('\n')}\n`);
    else if (toml !== undefined && table !== undefined) change(outside(world, toml), (text) => setInTable(text, table, lines));
    else if (settings !== undefined) change(settings, (text) => setIn(text, lines));
    else if (key !== undefined && value !== undefined) {
      change(conf, (text) =>
        text.replace(/^userdb \{\n([\s\S]*?)^\}\n/gm, (whole, inner: string) =>
          inner.includes(`${key} = ${value}\n`) ? `userdb {\n${setIn(inner, lines)}}\n` : whole,
        ),
      );
    } else if (shell === 'doveadm reload') continue;
    else if (shell !== undefined) expect(await world.run(['/bin/sh', '-c', shell])).toMatchObject({ status: 0 });
    else throw new Error(`nobody could do this: ${fix}`);
  }
}

function change(file: string, edit: (text: string) => string): void {
  writeFileSync(file, edit(existsSync(file) ? readFileSync(file, 'utf8') : ''));
}

/** Sets `key = value` lines, in the place of those that are there. */
function setIn(text: string, lines: readonly string[]): string {
  const keys = lines.map((line) => line.split(' = ')[0]);
  const kept = text.split('\n').filter((line) => line !== '' && !keys.includes(line.trim().split(/\s*=/)[0]));
  return `${[...kept, ...lines].join('\n')}\n`;
}

/** Sets `key = value` lines in a table of TOML, in the place of the table that is there. */
function setInTable(text: string, table: string, lines: readonly string[]): string {
  const others = text.replace(new RegExp(`^\\[${table}\\]\\n(?:[^[].*\\n)*`, 'm'), '');
  return `${others}[${table}]\n${lines.join('\n')}\n`;
}

/** A path of a world's /etc, seen from outside. */
function outside({ etc }: World, path: string): string {
  return path.startsWith('/etc/') ? join(etc, path.slice(5)) : path;
}
