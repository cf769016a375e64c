import { EqualityFilter, type Filter, PresenceFilter } from 'ldapts';
import type { SearchRequest, SearchResult } from '../../ldap/client.js';
import type { Entry } from '../../ldap/entry.js';
import { codeOf, LdapError, RESULT } from '../../ldap/errors.js';
import { ANYTHING } from '../../ldap/filter.js';
import type { Logger } from '../../support/log.js';
import { type Lost, lost } from './found.js';

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
export class Directory {
  readonly #search: (request: SearchRequest) => Promise<SearchResult>;
  readonly #log: Logger;
  readonly #answers = new Map<string, Promise<unknown>>();
  readonly #warned = new Set<string>();

  /** `search` is shared by all lookups on the connection, so that the end of one must be no end for the others. */
  constructor(search: (request: SearchRequest) => Promise<SearchResult>, log: Logger) {
    this.#search = search;
    this.#log = log;
  }

  facts(): Promise<Facts> {
    return this.#once('facts', async () => {
      const attributes = ['supportedCapabilities', 'defaultNamingContext', 'ldapServiceName', 'vendorName'];
      const { entries } = await this.#search({ base: '', scope: 'base', filter: ANYTHING, attributes });
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
  }

  /** Whether continuation references say that a part of the answer is missing: Active Directory's root always refers to its other partitions. */
  async isElsewhere(references: readonly string[]): Promise<boolean> {
    return references.length > 0 && !(await this.facts()).isActiveDirectory;
  }

  /**
   * What is lost when this bind can `read` (or `search` for) `attribute` at no entry below `base`: then nobody has it, or it is hidden, and only
   * the administrator knows which. Warns of it, once, with a hint for who knows that nobody has it. `option` is the base's name. `groups` is
   * where there are groups whose members may have it.
   * @throws LdapError when there is nothing at all to see below `base`
   */
  async unlessVisible(
    right: 'read' | 'search',
    option: string,
    base: string,
    attribute: string,
    { hint = '', groups }: { readonly hint?: string; readonly groups?: string } = {},
  ): Promise<readonly Lost[]> {
    const shows = async (filter: Filter): Promise<boolean> => {
      const entry = await this.#one(base, 'sub', filter, attribute);
      // OpenLDAP lets a bind search for values that it may not read.
      return entry !== undefined && (right === 'search' || entry.has(attribute));
    };
    const isVisible = await this.#once(`${right} ${attribute} ${base}`, async () => {
      try {
        if (await shows(new PresenceFilter({ attribute }))) return true;
        // The memberOf that OpenLDAP's dynlist makes up is found by its values alone.
        const group = groups === undefined ? undefined : await this.#one(groups, 'sub', new PresenceFilter({ attribute: 'member' }));
        if (group !== undefined && (await shows(new EqualityFilter({ attribute, value: group.dn })))) return true;
      } catch (error) {
        // Can't be found out: without an index, say.
        if (codeOf(error) !== undefined) return true;
        throw error;
      }
      await this.some(option, base);
      return false;
    });
    if (isVisible) return [];
    const what = `no entry below ${option} "${base}" shows this bind the attribute ${attribute}`;
    const reason = `${what}: if this bind may not read it, groups are missing${hint}`;
    this.warn(reason);
    return [{ ...lost({ name: `groups by ${attribute}` }, reason), wanted: true }];
  }

  /** An entry at or below `base`. @throws LdapError when this bind sees none: some servers answer that with success */
  some(option: string, base: string): Promise<Entry> {
    return this.#once(`base ${base}`, async () => {
      const entry = (await this.#one(base, 'base', ANYTHING)) ?? (await this.#one(base, 'sub', ANYTHING));
      if (entry === undefined) throw missingBase(option, base);
      return entry;
    });
  }

  /** The attribute by which entries can be searched for by their DN; `undefined` if there is none. Tried on an entry below `base`. */
  dnAttribute(option: string, base: string): Promise<string | undefined> {
    return this.#once(`dn ${base}`, async () => {
      const attribute = (await this.facts()).isActiveDirectory ? 'distinguishedName' : 'entryDN';
      const { dn } = await this.some(option, base);
      return (await this.#one(dn, 'base', new EqualityFilter({ attribute, value: dn }))) && attribute;
    });
  }

  /** Logs a warning, once. */
  warn(message: string): void {
    if (!this.#warned.has(message)) this.#log.warning(`ldap: ${message}`);
    this.#warned.add(message);
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#answers.get(key) as Promise<T> | undefined;
    if (asked !== undefined) return asked;
    const answer = ask();
    answer.catch(() => this.#answers.delete(key));
    this.#answers.set(key, answer);
    return answer;
  }

  async #one(base: string, scope: 'base' | 'sub', filter: Filter, attribute = '1.1'): Promise<Entry | undefined> {
    try {
      return (await this.#search({ base, scope, filter, attributes: [attribute], atMost: 1 })).entries[0];
    } catch (error) {
      // A server may refuse to look through everything: then there was nothing in what it had looked through.
      if (codeOf(error) === RESULT.noSuchObject || codeOf(error) === RESULT.adminLimit) return undefined;
      throw error;
    }
  }
}

/** For a base that every answer depends on. An empty replica has none: another server may. */
export function missingBase(option: string, base: string, cause?: unknown): LdapError {
  return new LdapError(`${option} "${base}" is not there, or may not be read by this bind`, 'next-server', { cause });
}
