import { EqualityFilter, PresenceFilter } from 'ldapts';
import type { Logger } from '../../support/log.js';
import type { SearchRequest, SearchResult } from './client.js';
import type { Entry } from './entry.js';
import { NoAnswer, RESULT, SearchFailed, within } from './errors.js';
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
  facts(signal: AbortSignal): Promise<Facts>;
  /**
   * Warns, once, when this bind sees `attribute` on no entry below `base`: then nobody has it, or it may not be read, and only the
   * administrator knows which. `option` is the base's name.
   * @throws NoAnswer when there is nothing at all to see below `base`
   */
  requireVisible(option: string, base: string, attribute: string, signal: AbortSignal): Promise<void>;
  /** @throws NoAnswer when this bind sees no entry below `base`: some servers answer that with success */
  requireBase(option: string, base: string, signal: AbortSignal): Promise<void>;
  /** The attribute by which entries can be searched for by their DN; `undefined` if there is none. Tried on an entry below `base`. */
  dnAttribute(option: string, base: string, signal: AbortSignal): Promise<string | undefined>;
  /** Logs a warning, once. */
  warn(message: string): void;
}

export function createDirectory(search: (request: SearchRequest, signal: AbortSignal) => Promise<SearchResult>, log: Logger): Directory {
  const asked = new Map<string, Promise<unknown>>();
  const warned = new Set<string>();
  // Shared by all lookups on the connection: the end of one is no end for the others. A search has a time limit of its own.
  const never = new AbortController().signal;

  function once<T>(key: string, ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const known = asked.get(key) as Promise<T> | undefined;
    const answer =
      known ??
      ask().catch((error: unknown) => {
        asked.delete(key);
        throw error;
      });
    asked.set(key, answer);
    return within(answer, { ms: 2 ** 31 - 1, what: 'no answer to a search', signal });
  }

  const readFacts = async (): Promise<Facts> => {
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
  };

  /** One entry below `base`, for the sake of whether there is any. */
  const one = async (base: string, scope: 'base' | 'sub', filter: SearchRequest['filter']): Promise<Entry | undefined> => {
    try {
      return (await search({ base, scope, filter, attributes: ['1.1'], atMost: 1 }, never)).entries[0];
    } catch (error) {
      // A server may refuse to look through everything: then there was nothing in what it had looked through.
      if (error instanceof SearchFailed && (missing(error) || error.code === RESULT.adminLimit)) return undefined;
      throw error;
    }
  };
  const some = async (base: string): Promise<Entry | undefined> =>
    (await one(base, 'base', ANYTHING)) ?? (await one(base, 'sub', ANYTHING));

  const warn = (message: string): void => {
    if (!warned.has(message)) log.warning(`ldap: ${message}`);
    warned.add(message);
  };

  const requireBase: Directory['requireBase'] = (option, base, signal) =>
    once(
      `base ${base}`,
      async () => {
        if ((await some(base)) === undefined) throw missingBase(option, base);
      },
      signal,
    );

  return {
    facts: (signal) => once('facts', readFacts, signal),
    requireBase,
    requireVisible: (option, base, attribute, signal) =>
      once(
        `attribute ${attribute} ${base}`,
        async () => {
          try {
            if ((await one(base, 'sub', new PresenceFilter({ attribute }))) !== undefined) return;
          } catch (error) {
            // Can't be found out: without an index, say.
            if (error instanceof SearchFailed) return;
            throw error;
          }
          await requireBase(option, base, never);
          warn(
            `no entry below ${option} "${base}" shows this bind the attribute ${attribute}: if this bind may not read it, groups are missing${attribute === 'gidNumber' ? '; if users have none, set primary_group = false' : ''}`,
          );
        },
        signal,
      ),
    dnAttribute: (option, base, signal) =>
      once(
        `dn ${base}`,
        async () => {
          const attribute = (await readFacts()).isActiveDirectory ? 'distinguishedName' : 'entryDN';
          const entry = await some(base);
          if (entry === undefined) throw missingBase(option, base);
          const found = await one(entry.dn, 'base', new EqualityFilter({ attribute, value: entry.dn }));
          return found === undefined ? undefined : attribute;
        },
        signal,
      ),
    warn,
  };
}

/** Whether a search failed because its base isn't there. */
export function missing(error: SearchFailed): boolean {
  return error.code === RESULT.noSuchObject;
}

/** For a base that every answer depends on. An empty replica has none: another server may. */
export function missingBase(option: string, base: string, cause?: unknown): NoAnswer {
  return new NoAnswer(`${option} "${base}" is not there, or may not be read by this bind`, 'next-server', { cause });
}
