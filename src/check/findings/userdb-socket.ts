import { ownSocket } from '../blocks.js';
import type { Check } from '../check.js';
import { OWN_BASE, socketOfUri } from '../facts.js';
import { userdbPart } from '../userdb-part.js';

/** Where Dovecot asks, and whether somebody is to be there. */
export const userdbSocket: Check = userdbPart(
  'userdb-socket',
  { kind: 'ldap', settings: { '2.3': ['uris', 'base'], '2.4': ['ldap_uris', 'ldap_base'] } },
  ({ door }, facts) => {
    const socket = socketOfUri(door.uris);
    if (socket === undefined) return { level: 'error', problem: "names no socket (ldapi://): Dovecot doesn't ask acl-groups" };
    if (facts.own !== undefined && !facts.own.listeners.some(({ path }) => path === socket)) {
      return { level: 'error', problem: `leads to ${socket}, where the service doesn't listen; it does at ${ownSocket(facts)}` };
    }
    return door.base === OWN_BASE
      ? undefined
      : { level: 'error', problem: `needs a base of ${OWN_BASE} beside it, which the service answers for` };
  },
);
