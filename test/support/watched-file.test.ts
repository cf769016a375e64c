import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type WatchedFile, type WatchOptions, watchFile } from '../../src/support/watched-file.js';

const directory = mkdtempSync(join(tmpdir(), 'acl-groups-watch-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A clock that the test moves. */
function ownClock() {
  const clock = { now: 1000, wallAhead: 1e12, steady: () => clock.now, wall: () => clock.now + clock.wallAhead };
  return clock;
}

/** A watched file that counts how often it was parsed. */
function counted(path: string, options: WatchOptions<string> = {}): WatchedFile<string> & { readonly parsed: () => number } {
  let parsed = 0;
  const parse = (text: string): string => {
    parsed++;
    return text;
  };
  return { ...watchFile(path, parse, options), parsed: () => parsed };
}

/** Changes a file without pause, for longer than the times of any file system are coarse; the size stays. */
function changeAndRead(path: string): void {
  const file = watchFile(path, (text) => text);
  let n = 100_000;
  for (const end = Date.now() + 2500; Date.now() < end; n++) {
    writeFileSync(path, String(n));
    expect(file.read()).toBe(String(n));
  }
}

describe('watchFile', () => {
  it('sees every change of the same size, however fast they come', () => changeAndRead(join(directory, 'fast')));

  it('sees a file put in the place of another, with the same size and times', () => {
    const path = join(directory, 'renamed');
    const file = watchFile(path, (text) => text);
    for (const text of ['old', 'new']) {
      writeFileSync(`${path}.tmp`, text);
      utimesSync(`${path}.tmp`, 1, 1);
      renameSync(`${path}.tmp`, path);
      expect(file.read()).toBe(text);
    }
  });

  it('parses the same bytes once, and reads no more when the file has not changed for longer than times are coarse', () => {
    const path = join(directory, 'settled');
    const clock = ownClock();
    writeFileSync(path, 'text');
    const file = counted(path, { clock, trust: {} });
    for (let second = 0; second < 10; second++, clock.now += 1000) expect(file.read()).toBe('text');
    expect(file.parsed()).toBe(1);
    // Same times, so it isn't looked into: nobody but root can do that to a file.
    const copy = join(directory, 'settled.copy');
    execFileSync('cp', ['-p', path, copy]);
    utimesSync(path, 1, 1);
    expect(file.read()).toBe('text');
    expect(file.parsed()).toBe(2);
  });

  it('does not wait for the times of a file that were in the future', () => {
    const path = join(directory, 'future');
    const clock = ownClock();
    writeFileSync(path, 'text');
    // What another machine's clock, or this one's of yesterday, may have made of it.
    clock.wallAhead = -1e12;
    const file = counted(path, { clock });
    for (let second = 0; second < 10; second++, clock.now += 1000) file.read();
    const before = file.parsed();
    file.read();
    expect([before, file.parsed()]).toEqual([1, 1]);
  });

  it('looks into a settled file again when the wall clock was set back, however far', () => {
    const path = join(directory, 'set-back');
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1e10 }), (back) => {
        const clock = ownClock();
        writeFileSync(path, 'old');
        const file = counted(path, { clock });
        const settle = (): void => {
          for (let second = 0; second < 5; second++, clock.now += 1000) file.read();
        };
        settle();
        const kept = file.parsed();
        clock.wallAhead -= back;
        file.read();
        expect(file.parsed()).toBe(kept + 1);
        settle();
        clock.wallAhead += back;
        file.read();
        expect(file.parsed()).toBe(kept + 1);
      }),
      { numRuns: 20 },
    );
  });

  it('parses a file of the machine once', () => {
    const file = counted(process.execPath);
    expect([file.read().length, file.read().length]).toEqual(Array(2).fill(statSync(process.execPath).size));
    expect(file.parsed()).toBe(1);
  });

  it('fails for a missing file, unless something stands for it', () => {
    const path = join(directory, 'missing');
    expect(() => watchFile(path, String).read()).toThrow(`ENOENT: no such file or directory, open '${path}'`);
    expect(watchFile(path, String, { missing: () => 'nothing' }).read()).toBe('nothing');
  });

  it('refuses what is no regular file, and what others may write if that matters, also once it has been read', () => {
    const path = join(directory, 'trusted');
    const clock = ownClock();
    writeFileSync(path, 'text', { mode: 0o600 });
    const file = watchFile(path, String, { trust: {}, clock });
    for (let second = 0; second < 5; second++, clock.now += 1000) file.read();
    chmodSync(path, 0o622);
    const refusal = `${path}: refused: it may be written by others than its owner (mode 622); run: chmod go-w ${path}`;
    expect(() => file.read()).toThrow(refusal);
    expect(() => file.read()).toThrow(refusal);
    expect(watchFile(path, String).read()).toBe('text');
    chmodSync(path, 0o600);
    expect(file.read()).toBe('text');
    expect(() => watchFile(directory, String).read()).toThrow(`${directory}: refused: it is a directory; name a regular file`);
  });
});

/** A file system whose times are whole seconds: ext4 with inodes of 128 bytes (mke2fs(8), -I). `undefined` where none can be mounted. */
function mountWholeSeconds(): string | undefined {
  const [mounted, image] = [join(directory, 'ext4'), join(directory, 'image')];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  try {
    execFileSync('truncate', ['-s', '4M', image]);
    execFileSync('mkfs.ext4', ['-q', '-I', '128', image], { stdio: 'ignore', env });
    mkdirSync(mounted);
    execFileSync('mount', ['-o', 'loop', image, mounted], { stdio: 'ignore', env });
    return mounted;
  } catch {
    return undefined;
  }
}

const wholeSeconds = mountWholeSeconds();
afterAll(() => {
  if (wholeSeconds !== undefined) execFileSync('umount', [wholeSeconds]);
});

// Needs root and a loop device.
describe.runIf(wholeSeconds !== undefined || process.env.CI === 'true')('on a file system whose times are whole seconds', () => {
  const path = join(wholeSeconds ?? '', 'file');

  it('has whole seconds', () => {
    writeFileSync(path, '');
    expect(statSync(path, { bigint: true }).ctimeNs % 1_000_000_000n).toBe(0n);
  });

  it('sees every change of the same size, however fast they come', () => changeAndRead(path));
});
