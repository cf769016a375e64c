import { createLimiter } from '../../support/limiter.js';
import type { Logger } from '../../support/log.js';
import { bindChildren } from '../../support/processes.js';
import { watchFile } from '../../support/watched-file.js';
import type { Finding, ProviderContext } from '../provider.js';
import type { AccountCalls } from './account-calls.js';
import type { AccountDatabase, AccountGroup, Source, SourcePaths } from './database.js';
import { openFiles } from './files.js';
import { DEFAULT_SERVICES, describeServices, filesRule, type NameServices, parseNsswitch } from './nsswitch.js';
import { systemdState } from './systemd.js';

export const SYSTEM_PATHS: SourcePaths = { passwd: '/etc/passwd', group: '/etc/group', nsswitch: '/etc/nsswitch.conf', root: '/' };

/** An account database that can be looked at. */
export interface AccountSource extends AccountDatabase {
  /** For `acl-groups check`. */
  check(signal: AbortSignal): Promise<readonly Finding[]>;
}

/** Lookups that run at a time. Each is a process or two; only as many as hang will ever be needed. */
const MOST_LOOKUPS = 8;
const MOST_WAITING = 1000;

/**
 * An account database by the option `source`. What isn't used isn't loaded. Without `includePrimary`, an account's primary group is among
 * its groups only where it lists the account as a member.
 */
export function openSource(
  source: Source,
  { log, resident = false }: Pick<ProviderContext, 'log' | 'resident'>,
  includePrimary = true,
  paths: SourcePaths = SYSTEM_PATHS,
): AccountSource {
  const files = openFiles(paths, includePrimary);
  const nsswitch = watchFile<NameServices>(paths.nsswitch, parseNsswitch, { missing: () => DEFAULT_SERVICES });
  const limiter = createLimiter('account lookups', MOST_LOOKUPS, MOST_WAITING);
  let libc: Promise<AccountDatabase> | undefined;
  const context = { files, services: () => nsswitch.read(), systemd: () => systemdState(paths.root), includePrimary };

  async function openLibc(): Promise<AccountDatabase> {
    const { openNameServices } = await import('./name-services.js');
    return openNameServices(await openCalls(source, resident, includePrimary, log), context);
  }

  async function askLibc(account: string, signal: AbortSignal): Promise<readonly AccountGroup[] | undefined> {
    signal.throwIfAborted();
    return await limiter.run(
      async () => {
        libc ??= openLibc();
        return await (await libc).lookup(account, signal);
      },
      () => signal,
    );
  }

  /** The files' answer, where it is the whole truth; else why it isn't. */
  function askFiles(account: string): { readonly groups: readonly AccountGroup[] | undefined } | { readonly because: string } {
    const services = nsswitch.read();
    const rule = filesRule(services);
    if (rule === 'none') return { because: `nsswitch.conf names other services: ${describeServices(services)}` };
    const groups = files.find(account);
    if (rule === 'all') return { groups };
    if (groups === undefined) return { because: `not in ${paths.passwd}, and systemd may know it` };
    const nameless = groups.find(({ name }) => name === undefined);
    if (nameless !== undefined) return { because: `${paths.group} has no group ${nameless.gid}, and systemd may know it` };
    const { adds } = systemdState(paths.root);
    return adds === undefined ? { groups } : { because: `systemd may add groups: ${adds}` };
  }

  return {
    async lookup(account, signal) {
      // No account can have such a name; the addon would cut it off at a NUL, and a number or an option isn't far for getent.
      if (account === '' || /[\0\n:]/.test(account)) return undefined;
      if (source === 'files') return files.find(account);
      if (source === 'auto') {
        const answer = askFiles(account);
        if ('groups' in answer) {
          log.debug(() => `${account}: source files: nsswitch.conf leaves it to the files (${describeServices(nsswitch.read())})`);
          return answer.groups;
        }
        log.debug(() => `${account}: not by the files: ${answer.because}`);
      }
      return await askLibc(account, signal);
    },
    async check(signal) {
      const { checkAccounts } = await import('./check.js');
      const findUserid = async (): Promise<unknown> => (await import('./account-workers.js')).findUserid();
      return await checkAccounts({ ...context, source, paths, limits: [MOST_LOOKUPS, MOST_WAITING], findUserid }, signal);
    },
    async close() {
      const opened = await libc?.catch(() => undefined);
      await opened?.close?.();
    },
  };
}

async function openCalls(source: Source, resident: boolean, includePrimary: boolean, log: Logger): Promise<AccountCalls> {
  if (resident) await bindChildren();
  // The addon gets a Node.js of its own, which takes ten times as long to start as getent, and is quicker only from then on.
  if (source === 'getent' || (source === 'auto' && !resident)) {
    log.debug(`source getent${source === 'auto' ? ': the quickest for a single lookup' : ''}`);
    return await openGetent();
  }
  if (!includePrimary) {
    log.debug('source getent: the addon gives the primary group to every account, listed as a member or not');
    return await openGetent();
  }
  const { findUserid, openWorkers } = await import('./account-workers.js');
  try {
    const calls = openWorkers(findUserid());
    log.debug('source userid: the addon is installed');
    return calls;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    if (source === 'userid') {
      throw new Error(`source = "userid", but the addon can't be loaded: ${reason}; fix it with: npm rebuild userid`, { cause: error });
    }
    log.debug(`source getent: the userid addon can't be loaded: ${reason}`);
    return await openGetent();
  }
}

async function openGetent(): Promise<AccountCalls> {
  const { gids, groupnames } = await import('../../../native-free/userid.js');
  return { gids, groupnames };
}
