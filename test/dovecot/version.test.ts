import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createVersionFinder, findVersion, versionOf } from '../../src/dovecot/version.js';

const directory = mkdtempSync(join(tmpdir(), 'acl-groups-version-'));
afterAll(() => rmSync(directory, { recursive: true }));

function program(name: string, script: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const missing = join(directory, 'missing');

describe('versionOf', () => {
  it.each([
    ['2.3.19.1 (9b53102964)', '2.3'],
    ['2.3.0', '2.3'],
    ['2.4.1-4 (7d8c0e5759)', '2.4'],
    ['2.4.4', '2.4'],
    ['2.5.0', '2.4'],
    ['3.0', '2.4'],
    ['2.2.36', undefined],
    ['1.9', undefined],
    ['', undefined],
    ['dovecot 2.4', undefined],
  ])('reads %j as %s', (text, version) => {
    expect(versionOf(text)).toBe(version);
  });
});

describe('findVersion', () => {
  const auto = { dovecot_version: 'auto', dovecotOption: undefined } as const;

  it('goes by -D, then by dovecot_version, then by DOVECOT_VERSION, then by the program', async () => {
    const programs = [missing, program('dovecot', 'echo "2.3.21 (abc)"')];
    const env = { DOVECOT_VERSION: '2.4.1-4' };
    expect(await findVersion({ dovecotOption: '2.4', dovecot_version: '2.3' }, env, programs)).toEqual({
      version: '2.4',
      source: '-D',
      text: '2.4',
    });
    expect(await findVersion({ ...auto, dovecot_version: '2.3' }, env, programs)).toEqual({
      version: '2.3',
      source: 'dovecot_version',
      text: '2.3',
    });
    expect(await findVersion(auto, env, programs)).toEqual({ version: '2.4', source: 'DOVECOT_VERSION', text: '2.4.1-4' });
    expect(await findVersion(auto, {}, programs)).toEqual({ version: '2.3', source: 'dovecot --version', text: '2.3.21 (abc)' });
  });

  it('goes on to the next program when one fails or says nothing to go by', async () => {
    const programs = [program('broken', 'exit 1'), program('strange', 'echo hello'), program('good', 'echo 2.4.2')];
    expect(await findVersion(auto, { DOVECOT_VERSION: 'unknown' }, programs)).toMatchObject({ version: '2.4', text: '2.4.2' });
  });

  it('is undefined where nobody knows', async () => {
    expect(await findVersion(auto, {}, [missing])).toBeUndefined();
  });
});

describe('createVersionFinder', () => {
  const auto = { dovecot_version: 'auto', dovecotOption: undefined } as const;

  it('asks again until it knows, and then never more', async () => {
    const path = join(directory, 'late');
    const find = createVersionFinder(auto, {}, [path]);
    expect(await find()).toBeUndefined();
    program('late', 'echo 2.3.19');
    expect(await find()).toMatchObject({ version: '2.3' });
    rmSync(path);
    expect(await find()).toMatchObject({ version: '2.3' });
  });
});
