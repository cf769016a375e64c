import type { Door } from './door.js';
import { postLogin } from './post-login/door.js';
import { userdb } from './userdb/door.js';

/** All protocols. The last one gets what none of the others takes, and says what is wrong with it. */
const DOORS: readonly Door[] = [userdb, postLogin];

/** The door for a client by the first byte that it sends: an LDAP message starts with 0x30, the script-login protocol with a letter. */
export function doorFor(firstByte: number): Door {
  return DOORS.find((door) => door.detects(firstByte)) ?? postLogin;
}
