import { connect } from 'node:net';
import { Client, EqualityFilter, ResultCodeError } from 'ldapts';
import { BASE, MONITOR } from '../doors/userdb/entries.js';
import { milliseconds } from '../support/clock.js';
import { AclGroupsError, EXIT, explain } from '../support/errors.js';
import { ANSWER_TIMEOUT, type DoorAnswer } from './door-answer.js';

/**
 * Asks a service about a user, as Dovecot's auth process would. `timeout` is in milliseconds.
 * @throws AclGroupsError when there is no service, or no answer in time
 */
export async function askUserdb(path: string, user: string, timeout: number = ANSWER_TIMEOUT): Promise<DoorAnswer> {
  const since = milliseconds();
  const answer = (outcome: DoorAnswer['outcome'], value = '', reason = ''): DoorAnswer => ({
    outcome,
    value,
    reason,
    elapsed: milliseconds() - since,
  });
  try {
    const filter = new EqualityFilter({ attribute: 'uid', value: user });
    const [entry] = await search(path, BASE, { scope: 'sub', filter, attributes: ['aclGroups'] }, timeout);
    return entry === undefined ? answer('unknown-user') : answer('granted', String(entry.aclGroups));
  } catch (error) {
    if (!(error instanceof ResultCodeError)) throw unreachable(path, error);
    return answer('denied', '', error.message.replace(/\s*Code: 0x[0-9a-f]+$/, ''));
  }
}

/**
 * What a service tells about itself, texts by name.
 * @throws AclGroupsError when there is no service, or none of acl-groups
 */
export async function readMonitor(
  path: string,
  timeout: number = ANSWER_TIMEOUT,
): Promise<Readonly<Record<string, string | readonly string[]>>> {
  try {
    const [entry] = await search(path, MONITOR, { scope: 'base' }, timeout);
    if (entry?.version === undefined) throw new Error('this is no service of acl-groups');
    const { dn: _dn, objectClass: _class, cn: _cn, ...figures } = entry;
    return Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
    );
  } catch (error) {
    throw unreachable(path, error);
  }
}

type SearchOptions = NonNullable<Parameters<Client['search']>[1]>;

async function search(
  path: string,
  base: string,
  options: SearchOptions,
  timeout: number,
): Promise<Awaited<ReturnType<Client['search']>>['searchEntries']> {
  const client = new Client({
    url: 'ldap://localhost',
    timeout,
    connectTimeout: timeout,
    createConnection: () => connect(path),
  });
  try {
    return (await client.search(base, options)).searchEntries;
  } finally {
    await client.unbind().catch(() => {});
  }
}

function unreachable(path: string, error: unknown): AclGroupsError {
  return new AclGroupsError(`${path}: the service can't be asked: ${explain(error)}`, EXIT.unavailable, { cause: error });
}
