import { readFileSync } from 'node:fs';
import type { Check } from '../check.js';
import { ok, warning } from '../finding.js';

/** Mandatory access control over Dovecot, which no mode of a file tells of. */
export const confinement: Check = {
  name: 'confinement',
  section: 'machine',
  async look(subject) {
    const profiles = read('/sys/kernel/security/apparmor/profiles')
      .split('\n')
      .filter((line) => /dovecot.*\(enforce\)/.test(line));
    const selinux = read('/sys/fs/selinux/enforce').trim() === '1';
    if (profiles.length === 0 && !selinux) return [ok('AppArmor, SELinux', 'neither is in force over Dovecot')];
    const name = profiles.length > 0 ? 'AppArmor' : 'SELinux';
    const probe = await subject.probe();
    const answers = probe !== undefined && !(probe.monitor instanceof Error);
    if (answers) return [ok(name, 'is in force over Dovecot, and the service answers')];
    const fix =
      profiles.length > 0
        ? 'see what it refused: journalctl -k --grep \'apparmor="DENIED".*dovecot\''
        : 'see what it refused: ausearch -m avc -ts recent';
    return [
      warning(
        name,
        "is in force over Dovecot: it may keep Dovecot's master from starting acl-groups and Node.js, and the service from its sources",
        { what: fix },
      ),
    ];
  },
};

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
