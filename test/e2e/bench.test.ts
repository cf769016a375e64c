import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';

const directory = temporaryDirectory();

it('runs every benchmark to its end, and keeps the figures and the chart', { timeout: 600_000 }, async () => {
  // CI: nothing may be left out.
  const env = { ...process.env, CI: 'true' };
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'bench:built', '--', '--short', '--json', directory], { env });
  const results = readdirSync(directory).filter((name) => name.endsWith('.json'));
  expect(results.sort()).toEqual(
    ['cost', 'door', 'exec', 'groups', 'ldap', 'login', 'morning', 'scale', 'service', 'start'].map((name) => `${name}.json`),
  );
  for (const name of results) {
    const { tables } = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    expect(tables.length).toBeGreaterThan(0);
    for (const { title, rows, verdicts } of tables) {
      expect(stdout).toContain(`${title}\n`);
      // An hour of a million users is told as it is: nothing is expected of it.
      if (!name.startsWith('morning')) expect(verdicts.length, title).toBeGreaterThan(0);
      for (const row of rows) expect(row.p50, `${title}: ${row.contestant}`).toBeGreaterThan(0);
    }
  }
  expect(readFileSync(join(directory, 'login.svg'), 'utf8')).toContain('acl-groups, userdb door');
});
