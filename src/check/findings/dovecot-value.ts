import type { Check } from '../check.js';
import { ok, type PlacedFinding, warning } from '../finding.js';
import { run } from '../programs.js';

/** Whether Dovecot has for the user what the service gives: by its own doveadm, the way that every service of it asks. */
export const dovecotValue: Check = {
  name: 'dovecot-value',
  section: 'service',
  async look(subject): Promise<readonly PlacedFinding[]> {
    const { facts, user } = subject;
    const answer = (await subject.probe())?.userdb;
    if (facts?.doors.userdb === undefined || answer === undefined || answer instanceof Error || answer.outcome !== 'granted') return [];
    const { status, stdout } = await run('doveadm', ['-c', facts.file, 'user', '-f', 'acl_groups', user]);
    const place = 'doveadm user';
    // 67: to Dovecot there is no such user, as there need be none called root.
    if (status === 67 || status === undefined) return [];
    if (status !== 0)
      return [warning(place, `Dovecot can't look ${user} up (status ${status})`, { what: `see why: doveadm user ${user}` })];
    if (stdout.replace(/\n$/, '') === answer.value) return [ok(place, `Dovecot has the same value for ${user}`)];
    const flush = facts.authCacheSize > 0 ? `doveadm auth cache flush ${user}` : 'doveadm reload';
    return [warning(place, `Dovecot has another value for ${user} than the service`, { what: `run: ${flush}` })];
  },
};
