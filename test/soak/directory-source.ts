/** A directory whose entries and members come and go. */
import { setTimeout as pass } from 'node:timers/promises';
import { Attribute, Change, Client, ResultCodeError } from 'ldapts';
import type { State } from '../adversary/model.js';
import { GROUPS, PEOPLE } from '../support/ldap-content.js';
import { BASE_LDIF, ldifLine, PASSWORD, ROOT_DN, type Slapd } from '../support/slapd.js';
import type { Draw } from './draw.js';
import { drawFacts, drawStep, type Facts, type Source, statesBy } from './sources.js';

const LDAP_GROUPS = ['ldap-staff', 'Everyone Else', 'a#b', 'inline:y', 'ldap-editors', 'émigrés'];
/** Has the first one of them as a member. */
const OUTER = 'ldap-outer';

/** The facts of a directory, to be loaded into a server. */
export interface Directory {
  readonly ldif: string;
  /** The source, once the server is there. */
  source(slapd: Slapd): Source;
}

/** Draws a directory's content. */
export function drawDirectory(users: readonly string[], draw: Draw): Directory {
  const facts = drawFacts(users, LDAP_GROUPS.length, draw);
  return { ldif: ldifOf(users, facts), source: (slapd) => directorySource(slapd, users, facts) };
}

const person = (user: string): string => `uid=${user},${PEOPLE}`;
/** By number, so that no name has to be escaped in a DN. */
const groupDn = (bit: number): string => `ou=g${bit},${GROUPS}`;

function ldifOf(users: readonly string[], { known, member }: Facts): string {
  const people = users
    .filter((user) => known.get(user)?.latest)
    .map((user) => `dn: ${person(user)}\nobjectClass: inetOrgPerson\nuid: ${user}\ncn: x\nsn: x\n\n`);
  const groups = LDAP_GROUPS.map((name, bit) => {
    const members = users.filter((user) => (member.get(user)?.latest ?? 0) & (1 << bit)).map(person);
    return `dn: ${groupDn(bit)}\nobjectClass: groupOfNames\nou: g${bit}\n${ldifLine('cn', name)}${['cn=nobody', ...members].map((dn) => `member: ${dn}\n`).join('')}\n`;
  });
  const outer = `dn: cn=${OUTER},${GROUPS}\nobjectClass: groupOfNames\ncn: ${OUTER}\nmember: ${groupDn(0)}\n\n`;
  return [BASE_LDIF, ...people, ...groups, outer].join('');
}

function stateOf(bits: number): State {
  const direct = LDAP_GROUPS.filter((_, bit) => bits & (1 << bit));
  return [...direct, ...(bits & 1 ? [OUTER] : [])].map((name) => ({ name }));
}

/** What says that a change had been made already, when the answer to it was lost: noSuchAttribute, typeOrValueExists, noSuchObject, entryAlreadyExists. */
const DONE_BEFORE: readonly number[] = [16, 20, 32, 68];

function directorySource(slapd: Slapd, users: readonly string[], facts: Facts): Source {
  let client: Client | undefined;
  let closed = false;

  /** Does it until it is done, however often the server is gone meanwhile. No time limit: what was given up on might be done later. */
  async function insist(operation: (by: Client) => Promise<unknown>): Promise<boolean> {
    while (!closed) {
      try {
        if (client === undefined) {
          client = new Client({ url: slapd.ldap });
          await client.bind(ROOT_DN, PASSWORD);
        }
        await operation(client);
        return true;
      } catch (error) {
        const code = error instanceof ResultCodeError ? error.code : undefined;
        if (code !== undefined && DONE_BEFORE.includes(code)) return true;
        if (code === undefined) client = undefined;
        await pass(100);
      }
    }
    return false;
  }

  return {
    name: 'ldap',
    states: (user, from, to) => statesBy(facts, user, from, to, stateOf),
    async change(draw) {
      const { user, what, bit } = drawStep(users, LDAP_GROUPS.length, draw);
      const known = facts.known.get(user);
      const member = facts.member.get(user);
      if (known === undefined || member === undefined) return;
      if (what === 'known') {
        const change = known.begin(!known.latest);
        const entry = { objectClass: 'inetOrgPerson', uid: user, cn: 'x', sn: 'x' };
        const add = known.latest;
        if (await insist((by) => (add ? by.add(person(user), entry) : by.del(person(user))))) change.done();
        return;
      }
      const change = member.begin(member.latest ^ (1 << bit));
      const operation = member.latest & (1 << bit) ? 'add' : 'delete';
      const modification = new Change({ operation, modification: new Attribute({ type: 'member', values: [person(user)] }) });
      if (await insist((by) => by.modify(groupDn(bit), modification))) change.done();
    },
    async close() {
      closed = true;
      await client?.unbind().catch(() => {});
    },
  };
}
