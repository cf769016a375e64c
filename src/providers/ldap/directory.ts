import { EqualityFilter, type Filter, PresenceFilter } from 'ldapts';
import type { Logger } from '../../support/log.js';
import type { SearchRequest, SearchResult } from './client.js';
import type { Entry } from './entry.js';
import { codeOf, missingBase, RESULT } from './errors.js';
import { ANYTHING } from './filter.js';

/** AD's mark in the root DSE, LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3). Samba has it too. */
const ACTIVE_DIRECTORY = '1.2.840.113556.1.4.800';

/** What the root DSE says. */
export interface Facts {
  readonly isActiveDirectory: boolean;
  /** The DN of Active Directory's domain; elsewhere empty. */
  readonly domain: string;
  /** Active Directory's domain in DNS, lower-case; elsewhere empty. */
  readonly dnsDomain: string;
  /** 389 Directory Server and its kin: memberOf has nested groups too. */
  readonly transitiveMemberOf: boolean;
}

/** What is behind one connection, as this bind sees it. Each thing is asked once, when a lookup first needs it. */
export interface Directory {
  facts(): Promise<Facts>;
  /** Whether continuation references say that a part of the answer is missing: Active Directory's root always refers to its other partitions. */
  isElsewhere(references: readonly string[]): Promise<boolean>;
  /**
   * Warns, once, when this bind can `read` (or `search` for) `attribute` at no entry below `base`: then nobody has it, or it is hidden, and only
   * the administrator knows which. `option` is the base's name.
   * @throws LdapError when there is nothing at all to see below `base`
   */
  requireVisible(right: 'read' | 'search', option: string, base: string, attribute: string): Promise<void>;
  /** @throws LdapError when this bind sees no entry below `base`: some servers answer that with success */
  requireBase(option: string, base: string): Promise<void>;
  /** The attribute by which entries can be searched for by their DN; `undefined` if there is none. Tried on an entry below `base`. */
  dnAttribute(option: string, base: string): Promise<string | undefined>;
  /** Logs a warning, once. */
  warn(message: string): void;
}

/** What to do about attributes that nobody has. */
const HINTS: Readonly<Record<string, string>> = {
  'user_base gidNumber': '; if users have none, set primary_group = false',
  'group_base memberOf': '; if no group is in another, set nesting_level = 0',
};

export function createDirectory(search: (request: SearchRequest, signal: AbortSignal) => Promise<SearchResult>, log: Logger): Directory {
  const asked = new Map<string, Promise<unknown>>();
  const warned = new Set<string>();
  // Shared by all lookups on the connection: the end of one is no end for the others. A search has a time limit of its own.
  const never = new AbortController().signal;

  function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const answer =
      (asked.get(key) as Promise<T> | undefined) ??
      ask().catch((error: unknown) => {
        asked.delete(key);
        throw error;
      });
    asked.set(key, answer);
    return answer;
  }

  const facts = (): Promise<Facts> =>
    once('facts', async () => {
      const attributes = ['supportedCapabilities', 'defaultNamingContext', 'ldapServiceName', 'vendorName'];
      const { entries } = await search({ base: '', scope: 'base', filter: ANYTHING, attributes }, never);
      const value = (attribute: string): string => entries[0]?.texts(attribute)[0] ?? '';
      const isActiveDirectory = entries[0]?.texts('supportedCapabilities').includes(ACTIVE_DIRECTORY) ?? false;
      return {
        isActiveDirectory,
        domain: isActiveDirectory ? value('defaultNamingContext') : '',
        // "example.com:dc1$@EXAMPLE.COM"
        dnsDomain: isActiveDirectory ? (value('ldapServiceName').split(':')[0] ?? '').toLowerCase() : '',
        transitiveMemberOf: /^389 Project/i.test(value('vendorName')),
      };
    });

  const one = async (base: string, scope: 'base' | 'sub', filter: Filter, attribute = '1.1'): Promise<Entry | undefined> => {
    try {
      return (await search({ base, scope, filter, attributes: [attribute], atMost: 1 }, never)).entries[0];
    } catch (error) {
      // A server may refuse to look through everything: then there was nothing in what it had looked through.
      if (codeOf(error) === RESULT.noSuchObject || codeOf(error) === RESULT.adminLimit) return undefined;
      throw error;
    }
  };

  const some = (option: string, base: string): Promise<Entry> =>
    once(`base ${base}`, async () => {
      const entry = (await one(base, 'base', ANYTHING)) ?? (await one(base, 'sub', ANYTHING));
      if (entry === undefined) throw missingBase(option, base);
      return entry;
    });

  const warn = (message: string): void => {
    if (!warned.has(message)) log.warning(`ldap: ${message}`);
    warned.add(message);
  };

  return {
    facts,
    warn,
    isElsewhere: async (references) => references.length > 0 && !(await facts()).isActiveDirectory,
    async requireBase(option, base) {
      await some(option, base);
    },
    requireVisible: (right, option, base, attribute) =>
      once(`${right} ${attribute} ${base}`, async () => {
        try {
          const entry = await one(base, 'sub', new PresenceFilter({ attribute }), attribute);
          // OpenLDAP lets a bind search for values that it may not read.
          if (entry !== undefined && (right === 'search' || entry.has(attribute))) return;
        } catch (error) {
          // Can't be found out: without an index, say.
          if (codeOf(error) !== undefined) return;
          throw error;
        }
        await some(option, base);
        const what = `no entry below ${option} "${base}" shows this bind the attribute ${attribute}`;
        warn(`${what}: if this bind may not read it, groups are missing${HINTS[`${option} ${attribute}`] ?? ''}`);
      }),
    dnAttribute: (option, base) =>
      once(`dn ${base}`, async () => {
        const attribute = (await facts()).isActiveDirectory ? 'distinguishedName' : 'entryDN';
        const { dn } = await some(option, base);
        return (await one(dn, 'base', new EqualityFilter({ attribute, value: dn }))) && attribute;
      }),
  };
}
