import type { Check } from '../check.js';
import { userdbPart } from '../userdb-part.js';

/** The attributes that the service knows in a filter, in lower case. */
const KNOWN = ['uid', 'account', 'aclgroups', 'clientip', 'localip', 'service', 'masteruser', 'field'];
/** Those that are in the filter to paste; any other is one more part of the auth cache's key. */
const USUAL = ['uid', 'account'];

/** What Dovecot says of the user. */
export const userdbFilter: Check = userdbPart(
  'userdb-filter',
  { kind: 'ldap', settings: { '2.3': ['user_filter'], '2.4': ['userdb_ldap_filter'] } },
  ({ door: { filter } }, { version, authCacheSize }) => {
    const parts = [...filter.matchAll(/\(\s*([A-Za-z]+)\s*=((?:%\{[^}]*\}|[^()])*)\)/g)].map(([, name = '', value = '']) => ({
      name: name.toLowerCase(),
      value,
    }));
    const names = parts.map(({ name }) => name);
    const unknown = names.find((name) => !KNOWN.includes(name));
    if (unknown !== undefined) return { level: 'error', problem: `has (${unknown}=…), which the service doesn't know: every login fails` };
    if (!names.includes('uid')) return { level: 'error', problem: "doesn't state (uid=…), the user: every login fails" };
    if (!names.includes('account'))
      return {
        level: 'warning',
        problem: "doesn't state (account=…): a user whose UNIX account has another name is looked up by the wrong one",
      };
    const bare = parts.find(
      ({ name, value }) => name !== 'uid' && version === '2.4' && value.includes('%{') && !/\|\s*default/.test(value),
    );
    if (bare !== undefined)
      return { level: 'error', problem: `has (${bare.name}=…) without "| default": a login without a value for it fails` };
    const more = names.filter((name) => !USUAL.includes(name));
    if (authCacheSize > 0 && more.length > 0) {
      const effect = more.includes('aclgroups')
        ? "switches Dovecot's auth cache off"
        : "makes an entry of Dovecot's auth cache for each value of it";
      return { level: 'warning', problem: `has (${more.join('=…), (')}=…), which ${effect}` };
    }
    return undefined;
  },
);
