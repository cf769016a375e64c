/** `npm run soak -- --logins N`: real IMAP logins at a real Dovecot, whose userdb asks the service. */
import { chmod } from 'node:fs/promises';
import { type Dovecot, type DovecotVersion, quoted, startDovecot } from '../support/dovecot.js';
import type { InstalledPackage } from '../support/installed.js';
import { userdbDoor } from '../support/userdb-door.js';
import type { SoakClient } from './clients.js';
import { drawBy } from './draw.js';
import type { Answer } from './oracle.js';
import { type SeededRequest, type SoakResult, soak } from './soak.js';
import { openStage, type Stage, userNames } from './stage.js';
import { now } from './timeline.js';

const CLIENTS = 12;
const USERS = 40;
const CHANGE_EVERY = 100;

/** Soaks the userdb door of an installed package under Dovecot. */
export async function soakLogins(
  installed: InstalledPackage,
  version: DovecotVersion,
  { seed, ...request }: SeededRequest,
): Promise<SoakResult> {
  const draw = drawBy(seed);
  let stage: Stage | undefined;
  const door = userdbDoor(version, installed.command, adapt);
  const dovecot = await startDovecot({
    version,
    protocols: ['imap'],
    userdbs: [{ driver: 'passwd-file', users: userNames(USERS).map((name) => ({ name })), continues: true }],
    ...door,
    async prepare(world) {
      await door.prepare?.(world);
      stage = await openStage(world, installed.command, { users: USERS, version, draw });
      // The auth process asks as a user of its own.
      await chmod(stage.service.socket, 0o666);
    },
  });
  try {
    if (stage === undefined) throw new Error('Dovecot was started without its stage');
    return await soak(stage, {
      ...request,
      draw,
      clients: [{ client: imapClient(dovecot), atOnce: CLIENTS }],
      changeEvery: CHANGE_EVERY,
      connectionsLost: () => dovecot.log.lines.filter((line) => /Connection lost to LDAP server/.test(line)).length,
    });
  } finally {
    await dovecot.stop();
  }
}

/** The package's snippet for a service that is there already, behind a userdb passwd-file. */
function adapt(text: string): string {
  return text
    .replace(/^service acl-groups \{\n.*?^\}\n/ms, '')
    .replace('userdb passwd {', 'userdb passwd-file {')
    .replaceAll('%2frun%2facl-groups', '%2fservice');
}

/** Logs in, and reads in Dovecot's log which groups were added. */
function imapClient(dovecot: Dovecot): SoakClient {
  return {
    async ask(user) {
      const client = await dovecot.imap();
      const came = now();
      const answer = (outcome: Answer['outcome'], answered: number, text: string): Answer => ({
        door: 'imap',
        user,
        came,
        answered,
        outcome,
        text,
      });
      try {
        const reply = await client.command(`LOGIN ${quoted(user)} secret`);
        const answered = now();
        if (reply.status !== 'OK') return answer('deny', answered, reply.text);
        await client.command('LOGOUT');
        const { groups, lines } = await dovecot.session(client);
        return answer(groups, answered, groups.length === 0 ? lines.join('\n') : '');
      } catch (error) {
        // 2.4.1 closes the connection of a client that it can't look up for now.
        return answer('deny', now(), error instanceof Error ? error.message : String(error));
      } finally {
        client.destroy();
      }
    },
    close() {},
  };
}
