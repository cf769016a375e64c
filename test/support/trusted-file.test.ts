import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTrustedFile, readTrustedFile, whyReplaceable, whyUntrusted } from '../../src/support/trusted-file.js';
import { testDirectory } from './command.js';

const directory = testDirectory();
const ME = process.geteuid?.() ?? 0;

describe('whyUntrusted', () => {
  it.each([
    [{ uid: 0, mode: 0o100644 }, {}],
    [{ uid: 0, mode: 0o100644 }, { uid: 100 }],
    [{ uid: 100, mode: 0o100600 }, { uid: 100 }],
    [
      { uid: 0n, mode: 0o100400n },
      { uid: 100, secret: true },
    ],
  ])('trusts %o for %o', (stats, trust) => {
    expect(whyUntrusted('/f', stats, trust)).toBeUndefined();
  });

  it.each([
    [{ uid: 1000, mode: 0o100644 }, { uid: 0 }, 'belongs to uid 1000, not to root', 'run: chown root /f'],
    [
      { uid: 1000n, mode: 0o100644n },
      { uid: 100 },
      'belongs to uid 1000, not to root, nor to the user that runs (uid 100)',
      'run: chown 100 /f',
    ],
    [{ uid: 0, mode: 0o100664 }, { uid: 0 }, 'may be written by others than its owner (mode 664)', 'run: chmod go-w /f'],
    [{ uid: 0, mode: 0o100002 }, { uid: 0 }, 'may be written by others than its owner (mode 002)', 'run: chmod go-w /f'],
    [
      { uid: 0, mode: 0o100640 },
      { uid: 0, secret: true },
      'holds a secret, and others than its owner may read or write it (mode 640)',
      'run: chmod go= /f',
    ],
    [
      { uid: 0, mode: 0o100620 },
      { uid: 0, secret: true },
      'holds a secret, and others than its owner may read or write it (mode 620)',
      'run: chmod go= /f',
    ],
  ])('says what is wrong with %o for %o', (stats, trust, problem, fix) => {
    expect(whyUntrusted('/f', stats, trust)).toEqual({ problem, fix });
  });
});

describe('readTrustedFile', () => {
  it('reads the bytes of a file of its own', () => {
    const path = directory.write('own', 'text\0\n');
    chmodSync(path, 0o644);
    expect(readTrustedFile(path).toString()).toBe('text\0\n');
    expect(() => readTrustedFile(path, { secret: true })).toThrow(
      `${path}: refused: it holds a secret, and others than its owner may read or write it (mode 644); run: chmod go= ${path}`,
    );
    chmodSync(path, 0o620);
    expect(() => readTrustedFile(path)).toThrow(
      `${path}: refused: it may be written by others than its owner (mode 620); run: chmod go-w ${path}`,
    );
  });

  it.runIf(ME === 0)('refuses a file that belongs to somebody else, whatever its mode', () => {
    const path = directory.write('foreign', 'text');
    chmodSync(path, 0o600);
    chownSync(path, 12_345, 0);
    expect(() => readTrustedFile(path)).toThrow(`${path}: refused: it belongs to uid 12345, not to root; run: chown root ${path}`);
  });

  it('refuses a FIFO at once, though nobody writes to it, directories and devices', () => {
    const fifo = join(directory.path, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(() => readTrustedFile(fifo)).toThrow(`${fifo}: refused: it is a FIFO; name a regular file`);
    expect(() => readTrustedFile(directory.path)).toThrow(`${directory.path}: refused: it is a directory; name a regular file`);
    expect(() => readTrustedFile('/dev/null')).toThrow('/dev/null: refused: it is a device; name a regular file');
    const missing = join(directory.path, 'missing');
    expect(() => readTrustedFile(missing)).toThrow(`ENOENT: no such file or directory, open '${missing}'`);
  });

  it('judges what it reads: a file put in its place later is not it', () => {
    const path = directory.write('swapped', 'good');
    chmodSync(path, 0o600);
    const { descriptor, stats } = openTrustedFile(path);
    writeFileSync(`${path}.new`, 'evil');
    renameSync(`${path}.new`, path);
    expect(execFileSync('cat', { stdio: [descriptor, 'pipe', 'inherit'] }).toString()).toBe('good');
    expect(stats.size).toBe(4n);
  });

  it('leaves no descriptor open of what it refuses', () => {
    const path = directory.write('refused', 'x');
    chmodSync(path, 0o622);
    const next = (): number => {
      const descriptor = openSync('/dev/null', 'r');
      closeSync(descriptor);
      return descriptor;
    };
    // The lowest free number is given next (open(2)).
    const before = next();
    for (const refused of [path, directory.path, '/dev/null']) expect(() => readTrustedFile(refused)).toThrow('refused');
    expect(next()).toBe(before);
  });
});

it('says who may write the directory, unless the sticky bit makes files safe there', () => {
  const folder = join(directory.path, 'folder');
  mkdirSync(folder);
  const path = join(folder, 'f');
  chmodSync(folder, 0o755);
  expect(whyReplaceable(path)).toBeUndefined();
  chmodSync(folder, 0o775);
  expect(whyReplaceable(path)).toEqual({
    problem: 'may be written by others than its owner (mode 775)',
    fix: `run: chmod go-w ${folder}`,
  });
  chmodSync(folder, 0o1777);
  expect(whyReplaceable(path)).toBeUndefined();
});
