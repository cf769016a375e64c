import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, warning } from '../finding.js';
import { run } from '../programs.js';

/** A room that is no cause for a word, however little of it is needed: bytes. */
const SMALL = 2048;
/** How many times what is needed a larger room may be. */
const TIMES = 4;

/** Whether `[userdb] room` is what the fields of the userdbs before take of a reply, as far as one user's show it. */
export const userdbRoom: Check = {
  name: 'userdb-room',
  section: 'service',
  async look(subject): Promise<readonly PlacedFinding[]> {
    const { facts, user, configFile } = subject;
    const room = (await subject.serviceView()).config?.room;
    if (facts?.doors.userdb === undefined || room === undefined) return [];
    const { status, stdout } = await run('doveadm', ['-c', facts.file, 'user', user]);
    // What Dovecot can't look up is said by another check.
    if (status !== 0) return [];
    const bytes = otherFields(stdout, user);
    const place = '[userdb] room';
    const fix = { what: `in [userdb] of ${configFile}, set`, lines: [`room = "${Math.min(7, Math.ceil((bytes * 1.25) / 1024))}K"`] };
    const taken = `the other fields of ${user}'s userdb reply take ${bytes} bytes, and ${room} are kept free`;
    if (bytes > room) return [error(place, `${taken}: with many groups, such a user can't log in`, fix)];
    if (room > SMALL && room > bytes * TIMES) return [warning(place, `${taken}: users with many groups are denied who would fit`, fix)];
    return [ok(place, taken)];
  },
};

/** What the fields but `acl_groups` take of auth's reply, `USER TAB id TAB name { TAB field=value }`, by what doveadm user shows of them. */
function otherFields(shown: string, user: string): number {
  const lines = shown.split('\n').slice(1);
  const fields = lines.filter((line) => line !== '' && !line.startsWith('acl_groups\t'));
  // A line has a tab where the reply has an equals sign, and its end stands for the reply's tab.
  const bytes = fields.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  return bytes + Buffer.byteLength(`USER\t${2 ** 32}\t${user}\n`);
}
