import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { watchFile } from '../../src/support/watched-file.js';

const directory = mkdtempSync(join(tmpdir(), 'acl-groups-watch-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('watchFile', () => {
  it('sees a change of the same size in the same instant', () => {
    const path = join(directory, 'fast');
    const file = watchFile(path, (text) => text);
    for (let n = 100; n < 400; n++) {
      writeFileSync(path, String(n));
      expect(file.read()).toBe(String(n));
    }
  });

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

  it('parses a file that has been as it is for long only once', () => {
    let parsed = 0;
    // A file of the system: nobody can set back the time of a change.
    const file = watchFile(process.execPath, (text) => {
      parsed++;
      return text.length;
    });
    expect([file.read(), file.read(), file.read()]).toEqual(Array(3).fill(statSync(process.execPath).size));
    expect(parsed).toBe(1);
  });

  it('fails for a missing file, unless something stands for it', () => {
    const path = join(directory, 'missing');
    expect(() => watchFile(path, String).read()).toThrow('ENOENT');
    expect(watchFile(path, String, () => 'nothing').read()).toBe('nothing');
  });
});
