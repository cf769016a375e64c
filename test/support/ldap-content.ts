import type { Group } from '../../src/providers/provider.js';
import { BASE_LDIF, ldifLine } from './slapd.js';

/** A directory as a test thinks of it: what is asked of the server is compared with this, not with what the provider's own code makes of it. */
export interface Content {
  readonly ldif: string;
  /** By uid: the names of the groups that a user is in, nested and primary ones included. */
  readonly groupsOf: ReadonlyMap<string, ReadonlySet<string>>;
}

export const PEOPLE = 'ou=people,dc=example,dc=test';
export const GROUPS = 'ou=groups,dc=example,dc=test';

/** What an answer holds beside groups where the referral was met. */
export const LOST_ELSEWHERE: Group = {
  name: `ldap://192.0.2.1/${GROUPS}??sub`,
  skip: 'a part of group_base is on another server, to which this one refers, and referrals are not followed',
  incomplete: true,
};

interface GroupModel {
  readonly name: string;
  readonly gid?: number;
  readonly users?: readonly string[];
  /** Names of groups that are members. */
  readonly groups?: readonly string[];
  /** Below GROUPS, if not directly in it. */
  readonly ou?: string;
}

interface UserModel {
  readonly uid: string;
  readonly gid?: number;
}

/** Names that other resolvers get wrong. */
export const AWKWARD: readonly string[] = [
  'Domain Users',
  'a#b',
  '#hash first',
  'back\\slash',
  'say "hi"',
  'comma, in it',
  'sla/sh',
  'par(en)s',
  'aster*isk',
  ' blank at the start',
  'blank at the end ',
  'plus+equals=semi;',
  '<less>',
  'Grüße, 日本語 🎉',
  'percent % %u',
];

/** User names made of the syntax of filters and DNs. Each is a real user. */
export const AWKWARD_USERS: readonly string[] = [
  '*',
  'a)(uid=*',
  '(|(uid=*))',
  'x,ou=people',
  'back\\2aslash',
  'a+cn=b',
  '"quoted"',
  '#5',
  'o=b',
  '\\',
];

/** 10,000 users in five of 2,000 groups each, five levels of groups in groups with a cycle, awkward names, a user in 600 groups, and a referral if `elsewhere`. */
export function bigDirectory(kind: 'rfc2307' | 'rfc2307bis', { elsewhere = true }: { readonly elsewhere?: boolean } = {}): Content {
  const users: UserModel[] = Array.from({ length: 10_000 }, (_, i) => ({ uid: `user${i}`, gid: 10_000 + (i % 2000) }));
  const groups: { name: string; gid?: number; users: string[]; groups?: string[]; ou?: string }[] = Array.from(
    { length: 2000 },
    (_, i) => ({
      name: `group${i}`,
      gid: 10_000 + i,
      users: [],
    }),
  );
  users.forEach(({ uid }, i) => {
    for (let k = 0; k < 5; k++) groups[(i + k * 37) % 2000]?.users.push(uid);
  });
  users.push(
    { uid: 'alice', gid: 10_000 },
    { uid: 'lonely' },
    { uid: 'many' },
    { uid: 'nobodys', gid: 4_242_424 },
    ...AWKWARD_USERS.map((uid) => ({ uid })),
  );
  groups.push(...AWKWARD.map((name) => ({ name, users: ['alice'] })));
  groups.push(...AWKWARD_USERS.map((uid, i) => ({ name: `of awkward user ${i}`, users: [uid] })));
  for (let i = 0; i < 600; i++) groups[i]?.users.push('many');
  if (kind === 'rfc2307bis') {
    // memberUid is an IA5String: in RFC 2307 such a name can't be a member.
    users.push({ uid: 'Müller 日本' });
    groups.push({ name: 'of Müller', users: ['Müller 日本'] });
    groups.push({ name: 'nest0', users: ['alice'], groups: ['nest4'] });
    for (let i = 1; i < 5; i++) groups.push({ name: `nest${i}`, users: [], groups: [`nest${i - 1}`] });
    groups.push({ name: 'around awkward', users: [], groups: [...AWKWARD] });
    groups.push({ name: 'twin', users: ['alice'], ou: 'one' }, { name: 'twin', users: ['alice'], ou: 'two' });
  }
  return { ldif: `${BASE_LDIF}${ldif(users, groups, kind, elsewhere)}`, groupsOf: closure(users, groups) };
}

function closure(users: readonly UserModel[], groups: readonly GroupModel[]): ReadonlyMap<string, ReadonlySet<string>> {
  const parents = new Map<string, string[]>();
  const direct = new Map<string, string[]>();
  const byGid = new Map(groups.flatMap(({ gid, name }) => (gid === undefined ? [] : [[gid, name] as const])));
  for (const { name, users: members = [], groups: inner = [] } of groups) {
    for (const uid of members) direct.set(uid, [...(direct.get(uid) ?? []), name]);
    for (const group of inner) parents.set(group, [...(parents.get(group) ?? []), name]);
  }
  return new Map(
    users.map(({ uid, gid }) => {
      const found = new Set<string>();
      const add = (name: string): void => {
        if (found.has(name)) return;
        found.add(name);
        parents.get(name)?.forEach(add);
      };
      const primary = gid === undefined ? undefined : byGid.get(gid);
      if (primary !== undefined) add(primary);
      direct.get(uid)?.forEach(add);
      return [uid, found] as const;
    }),
  );
}

/** Every character that means something in a DN as its bytes in hex. */
export function rdn(attribute: string, value: string): string {
  const escaped = [...Buffer.from(value)].map((byte) =>
    /[\w.-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\${byte.toString(16).padStart(2, '0')}`,
  );
  return `${attribute}=${escaped.join('')}`;
}

const REFERRAL = `dn: cn=elsewhere,${GROUPS}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\nref: ldap://192.0.2.1/${GROUPS}\n`;

function ldif(users: readonly UserModel[], groups: readonly GroupModel[], kind: 'rfc2307' | 'rfc2307bis', elsewhere: boolean): string {
  const ous = new Set(groups.flatMap(({ ou }) => ou ?? []));
  const parts = [...ous].map((ou) => `dn: ou=${ou},${GROUPS}\nobjectClass: organizationalUnit\nou: ${ou}\n`);
  // Whoever follows this one waits for a server that isn't there.
  if (elsewhere) parts.push(REFERRAL);
  for (const [index, { uid, gid }] of users.entries()) {
    const posix =
      gid === undefined ? '' : `objectClass: posixAccount\nuidNumber: ${index + 1000}\ngidNumber: ${gid}\nhomeDirectory: /home\n`;
    parts.push(
      `${ldifLine('dn', `${rdn('uid', uid)},${PEOPLE}`)}objectClass: inetOrgPerson\n${posix}${ldifLine('uid', uid)}cn: somebody\nsn: body\nuserPassword: password of ${index}\n`,
    );
  }
  for (const group of groups) {
    const { name, gid, users: members = [], groups: inner = [], ou } = group;
    const base = ou === undefined ? GROUPS : `ou=${ou},${GROUPS}`;
    const head = `${ldifLine('dn', `${rdn('cn', name)},${base}`)}${ldifLine('cn', name)}`;
    if (kind === 'rfc2307') {
      const memberUids = members.map((uid) => ldifLine('memberUid', uid)).join('');
      parts.push(`${head}objectClass: posixGroup\ngidNumber: ${gid ?? 900_000 + parts.length}\n${memberUids}`);
    } else {
      const dns = [...members.map((uid) => `${rdn('uid', uid)},${PEOPLE}`), ...inner.map((each) => `${rdn('cn', each)},${GROUPS}`)];
      const values = (dns.length > 0 ? dns : ['cn=nobody']).map((dn) => ldifLine('member', dn)).join('');
      const posix = gid === undefined ? '' : `objectClass: posixGroup\ngidNumber: ${gid}\n`;
      parts.push(`${head}objectClass: groupOfNames\n${posix}${values}`);
    }
  }
  return `${parts.join('\n')}\n`;
}
