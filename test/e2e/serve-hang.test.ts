import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Dovecot, startDovecot, VERSIONS } from '../support/dovecot.js';
import { gone, serveBlock, servicePid } from '../support/serve.js';

/** Where the name service `acltest` is, which hangs for accounts called hang…, and knows one called remote. */
let library: string;
beforeAll(() => {
  library = mkdtempSync('/tmp/acl-groups-nss-');
  chmodSync(library, 0o755);
  const source = fileURLToPath(new URL('../support/name-service.c', import.meta.url));
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(library, 'libnss_acltest.so.2'), source]);
});
afterAll(() => rmSync(library, { recursive: true }));

const HANGING = ['hang1', 'hang2', 'hang3', 'hang4'];

/** Resolves when the service says that so many lookups are under way. */
async function underWay(dovecot: Dovecot, pid: number, count: number): Promise<void> {
  for (;;) {
    const from = dovecot.log.lines.length;
    process.kill(pid, 'SIGUSR1');
    if ((await dovecot.log.wait(/ acl-groups: Info: version /, from)).includes(`lookups running ${count},`)) return;
  }
}

describe.each(VERSIONS)('a name service that hangs, under Dovecot %s', (version) => {
  it('costs the logins of those it hangs for, and neither the others nor the end of the process', async () => {
    const dovecot = await startDovecot({
      version,
      accounts: [{ name: 'alice' }],
      virtualUsers: [...HANGING, 'remote'].map((name) => ({ name })),
      etc: {
        'nsswitch.conf': 'passwd: files acltest\ngroup: files acltest\n',
        'acl-groups.toml': 'timeout = "15s"\n',
      },
      postLoginSocket: 'acl-groups',
      config: serveBlock(version, `/usr/bin/env LD_LIBRARY_PATH=${library} ${inject('installed')[version].command}`),
    });
    const hanging = await Promise.all(HANGING.map(() => dovecot.imap()));
    const failed = (line: string): boolean => /acl-groups: Error: hang/.test(line);
    for (const [index, client] of hanging.entries()) client.write(`a1 LOGIN ${HANGING[index]} secret\r\n`);
    const pid = await servicePid(dovecot);
    await underWay(dovecot, pid, HANGING.length);
    expect(await dovecot.groupsOf('alice')).toContain('alice');
    expect(await dovecot.groupsOf('remote')).toContain('J\u00f6rg');
    expect(dovecot.log.lines.filter(failed)).toEqual([]);
    for (const user of HANGING) {
      expect(await dovecot.log.wait(new RegExp(`acl-groups: Error: ${user}: `))).toMatch(
        /: provider unix failed: .*no answer within 1[45]\d\d\d ms; login denied \(on_error = "deny"\)$/,
      );
    }
    expect(await dovecot.groupsOf('alice')).toContain('alice');
    const last = await dovecot.imap();
    last.write('a1 LOGIN hang1 secret\r\n');
    await underWay(dovecot, pid, 1);
    process.kill(pid, 'SIGTERM');
    await gone(pid);
    // This throws if anything of the service outlives Dovecot.
    await dovecot.stop();
    expect(dovecot.log.lines.filter((line) => /killed with signal/.test(line))).toEqual([]);
  });
});
