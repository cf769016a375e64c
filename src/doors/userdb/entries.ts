import manifest from '../../../package.json' with { type: 'json' };
import { escapeDnValue } from '../../ldap/dn.js';
import { bytesOf } from '../../support/text.js';
import type { Monitor } from '../door.js';
import type { Entry } from './response.js';

/** The base of the users' entries. */
export const BASE = 'dc=acl-groups';
/** The entry that says what the service has done (as OpenLDAP's slapd-monitor(5) names its own). */
export const MONITOR = 'cn=monitor';

/** The attribute of the groups. */
const ACL_GROUPS = 'aclGroups';

/** What the server says about itself (RFC 4512, 5.1). All but the class are operational: they come to who asks for them. */
export const ROOT_DSE: Entry = {
  dn: '',
  attributes: {
    objectClass: ['top'],
    namingContexts: [BASE],
    monitorContext: [MONITOR],
    supportedLDAPVersion: ['3'],
    vendorName: ['acl-groups'],
    vendorVersion: [manifest.version],
  },
};

/** The entry that users are below. */
export const BASE_ENTRY: Entry = { dn: BASE, attributes: { objectClass: ['top', 'domain'], dc: ['acl-groups'] } };

/** The entry of a user: the name as it was asked for, and the value of acl_groups as bytes. */
export function userEntry(user: string, value: string): Entry {
  return {
    dn: `uid=${bytesOf(escapeDnValue(user))},${BASE}`,
    attributes: { objectClass: ['top', 'account'], uid: [bytesOf(user)], [ACL_GROUPS]: [value] },
  };
}

/** The service's figures as an entry. */
export function monitorEntry(monitor: Monitor): Entry {
  const attributes: Record<string, readonly string[]> = { objectClass: ['top', 'extensibleObject'], cn: ['monitor'] };
  for (const [name, value] of Object.entries(monitor))
    attributes[name] = (typeof value === 'object' ? value : [String(value)]).map(bytesOf);
  return { dn: MONITOR, attributes };
}

/** Which attributes a search asks for: by names in lower case, with or without their values. */
export interface Selection {
  readonly attributes: readonly string[];
  readonly typesOnly: boolean;
}

/** What a search gets of an entry (RFC 4511, 4.5.1.8). `operational` are the attributes that `*` and an empty list don't stand for. */
export function project(
  { dn, attributes }: Entry,
  { attributes: names, typesOnly }: Selection,
  operational: (name: string) => boolean = () => false,
): Entry {
  const all = names.length === 0 || names.includes('*');
  const chosen: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(attributes)) {
    const isWanted = names.includes(name.toLowerCase()) || (operational(name) ? names.includes('+') : all);
    if (isWanted) chosen[name] = typesOnly ? [] : values;
  }
  return { dn, attributes: chosen };
}

/**
 * Whether two DNs of those that this server has are the same: letters and blanks around separators make no difference. Cut into parts,
 * because a pattern with blanks before and after a separator takes the square of their number: 100,000 of them stopped the service.
 */
export function isSameDn(given: string, own: string): boolean {
  const parts = given.split(/([=,])/).map((part) => part.trim());
  return parts.join('').toLowerCase() === own;
}
