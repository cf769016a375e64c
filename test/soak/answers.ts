/** `npm run soak -- --answers N`: both doors and exec mode. */
import type { InstalledPackage } from '../support/installed.js';
import { openWorld } from '../support/world.js';
import { execClient, postLoginClient, userdbClient } from './clients.js';
import { drawBy } from './draw.js';
import { type SeededRequest, type SoakResult, soak } from './soak.js';
import { openStage } from './stage.js';

/** Connections of the auth process and its workers, and what Dovecot has in flight on each. */
const CONNECTIONS = 6;
const IN_FLIGHT = 8;
/** Mail processes that log somebody in at the same time, and script-logins. */
const MAIL_PROCESSES = 24;
const SCRIPT_LOGINS = 1;
const USERS = 80;
const CHANGE_EVERY = 60;

/** Soaks the service and exec mode of an installed package, with the values of the version that reads the most into them. */
export async function soakAnswers({ command }: InstalledPackage, { seed, ...request }: SeededRequest): Promise<SoakResult> {
  const draw = drawBy(seed);
  const world = await openWorld({ version: '2.3' });
  try {
    const stage = await openStage(world, command, { users: USERS, version: '2.4', draw });
    const { socket, supervisor } = stage.service;
    const { version, config, small } = stage;
    let connectionsLost = 0;
    const auth = Array.from({ length: CONNECTIONS }, () => userdbClient(socket, version, () => connectionsLost++));
    const exec = execClient(supervisor, command, ['-c', config, '-C', `${small.inside}/cache`], version);
    return await soak(stage, {
      ...request,
      draw,
      clients: [
        ...auth.map((client) => ({ client, atOnce: IN_FLIGHT })),
        { client: postLoginClient(socket, version), atOnce: MAIL_PROCESSES },
        { client: exec, atOnce: SCRIPT_LOGINS },
      ],
      changeEvery: CHANGE_EVERY,
      connectionsLost: () => connectionsLost,
    });
  } finally {
    await world.close();
  }
}
