import { dirname } from 'node:path';
import { parseOptions } from '../../src/config/options.js';
import { createLdapProvider } from '../../src/providers/ldap/definition.js';
import { OPTIONS } from '../../src/providers/ldap/options.js';
import type { Group, GroupProvider, LoginUser } from '../../src/providers/provider.js';
import { createLogger, type Logger } from '../../src/support/log.js';
import type { ResolveSrv } from '../../src/support/srv.js';

/** A provider for a test, with what it has to say about its work. */
export interface TestProvider extends GroupProvider {
  readonly lines: readonly string[];
  /** The names of the groups that a user is granted; `undefined` for an unknown user. */
  names(user: string, signal?: AbortSignal): Promise<readonly string[] | undefined>;
  /** The groups of a user. */
  of(user: string, signal?: AbortSignal): Promise<readonly Group[] | undefined>;
}

/** Time limits for servers that answer: a slow machine is no failure. */
const PATIENT = { connect_timeout: '30s', timeout: '30s' };

/** The provider, of a table as the configuration file would have it; its time limits are long ones unless given. */
export function ldapProvider(
  table: Readonly<Record<string, unknown>>,
  extra: { resolveSrv?: ResolveSrv; directory?: string } = {},
): TestProvider {
  const lines: string[] = [];
  const log: Logger = createLogger((level, message) => void lines.push(`${level}: ${message}`));
  const provider = createLdapProvider(
    parseOptions(OPTIONS, { ...PATIENT, ...table }, 'test'),
    { log, directory: extra.directory ?? dirname('/') },
    extra.resolveSrv,
  );
  const of = (user: string, signal = new AbortController().signal): Promise<readonly Group[] | undefined> =>
    provider.groups(loginUser(user), signal);
  return {
    ...provider,
    lines,
    of,
    names: async (user, signal) => (await of(user, signal))?.flatMap(({ name, skip }) => (skip === undefined ? [name] : [])),
  };
}

/** Somebody who logs in. */
export function loginUser(name: string): LoginUser {
  return { name, account: name, fields: new Map() };
}
