import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEMD_DROP_INS, SYSTEMD_SOCKETS, systemdState } from '../../../src/providers/unix/systemd.js';

let root: string;
beforeEach(() => {
  root = `${mkdtempSync(join(tmpdir(), 'acl-groups-systemd-'))}/`;
});
afterEach(() => rmSync(root, { recursive: true }));

function put(directory: string, ...names: readonly string[]): void {
  mkdirSync(join(root, directory), { recursive: true });
  for (const name of names) writeFileSync(join(root, directory, name), '');
}

describe('systemdState', () => {
  it('has nothing to say where systemd has no directory', () => {
    expect(systemdState(root)).toEqual({ present: false, adds: undefined });
  });

  it('adds nothing by the sockets of every Debian', () => {
    put(
      SYSTEMD_SOCKETS,
      'io.systemd.DynamicUser',
      'io.systemd.Multiplexer',
      'io.systemd.NameServiceSwitch',
      'io.systemd.DropIn',
      'io.systemd.Machine',
    );
    expect(systemdState(root)).toEqual({ present: true, adds: undefined });
  });

  it('may add something by any other socket', () => {
    put(SYSTEMD_SOCKETS, 'io.systemd.DynamicUser', 'io.systemd.Home');
    expect(systemdState(root)).toEqual({ present: true, adds: `${root}run/systemd/userdb/io.systemd.Home` });
  });

  it.each(SYSTEMD_DROP_INS)('may add something by a file in %s, not by the directory alone', (directory) => {
    put(directory);
    expect(systemdState(root).adds).toBeUndefined();
    put(directory, 'alice:staff.membership');
    expect(systemdState(root)).toEqual({ present: true, adds: `${root}${directory}` });
  });
});
