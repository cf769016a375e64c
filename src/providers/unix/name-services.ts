import { answers } from '../../../native-free/userid.js';
import type { AccountCalls } from './account-calls.js';
import type { AccountDatabase, AccountGroup } from './database.js';
import type { FilesDatabase } from './files.js';
import { filesNameGroups, type NameServices } from './nsswitch.js';
import type { SystemdState } from './systemd.js';

/** What an answer of the C library is judged by. */
export interface NameServiceContext {
  readonly files: FilesDatabase;
  /** Services by nsswitch.conf, read anew when it changes. */
  readonly services: () => NameServices;
  readonly systemd: () => SystemdState;
  readonly includePrimary: boolean;
}

/** Accounts as the C library finds them, by whatever nsswitch.conf names. */
export function openNameServices(calls: AccountCalls, context: NameServiceContext): AccountDatabase {
  const { files, includePrimary } = context;

  return {
    async lookup(account, signal) {
      const gids = await calls.gids(account, signal, includePrimary);
      const services = context.services();
      if (gids === undefined) {
        await expectAnswers('passwd', services, context, signal);
        return undefined;
      }
      const groups = await named(gids, filesNameGroups(services), signal);
      // Only now: what was well before the question may have failed in answering it.
      await expectAnswers('group', services, context, signal);
      return groups;
    },
    close: async () => calls.close?.(),
  };

  async function named(gids: readonly number[], byFiles: boolean, signal: AbortSignal): Promise<readonly AccountGroup[]> {
    // The C library reads /etc/group from its start for each id, and would say the same.
    const known = byFiles ? files.groupNames(gids) : new Map<number, string>();
    const rest = gids.filter((gid) => !known.has(gid));
    const asked = rest.length === 0 ? undefined : await calls.groupnames(rest, signal);
    return gids.map((gid) => ({ gid, name: known.get(gid) ?? asked?.get(gid) }));
  }
}

/**
 * Makes sure that all services of a database answer. The C library doesn't tell a service that fails from one that doesn't know: it goes on
 * to the next one, and an account or some of its groups are missing without a word.
 * @throws Error naming the services that don't answer
 */
export async function expectAnswers(
  database: 'passwd' | 'group',
  services: NameServices,
  { files, systemd }: Pick<NameServiceContext, 'files' | 'systemd'>,
  signal: AbortSignal,
): Promise<void> {
  const line = database === 'passwd' ? services.passwd : [...services.group, ...(services.initgroups ?? [])];
  const expected = line.filter(({ commented }) => !commented).map(({ name }) => name);
  const asked = [...new Set(expected)].filter((name) => name !== 'files' && (name !== 'systemd' || systemd().present));
  if (asked.length === 0) return;
  const { account, group } = files.anyNames();
  const key = database === 'passwd' ? account : group;
  if (key === undefined) throw new Error(`/etc/${database} has no entry to try the name services with`);
  const answering = await Promise.all(asked.map((service) => answers(database, service, key, signal)));
  const failed = asked.filter((_, index) => !answering[index]);
  if (failed.length === 0) return;
  throw new Error(
    `the name service ${failed.join(' and ')}, which nsswitch.conf names for ${database}, doesn't answer; start it, or take it out of nsswitch.conf`,
  );
}
