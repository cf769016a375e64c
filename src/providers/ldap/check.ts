import { TLSSocket } from 'node:tls';
import type { Filter } from 'ldapts';
import { type Credentials, describe } from '../../ldap/client.js';
import { type Connection, openConnection } from '../../ldap/connection.js';
import { ANYTHING } from '../../ldap/filter.js';
import type { Servers } from '../../ldap/servers.js';
import type { Endpoint } from '../../ldap/uri.js';
import { ConfigError, explain } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import type { Finding } from '../provider.js';
import type { Plan } from './plan.js';

/** A certificate that ends sooner than this is worth a warning: days. */
const CERTIFICATE_WARNING = 21;
/** A search for nobody that takes longer than this, and this many times a round trip, isn't served from an index: milliseconds. */
const SLOW = { ms: 3, roundTrips: 10 };
const NOBODY = 'acl-groups-check-nobody';

/** What `acl-groups check` says about each server: reachable, TLS, bind, bases, searches without an index. */
export async function checkServers(servers: Servers, plan: Plan, log: Logger, signal: AbortSignal): Promise<readonly Finding[]> {
  try {
    const endpoints = await servers.endpoints();
    return (await Promise.all(endpoints.map((endpoint) => checkServer(endpoint, plan, log, signal)))).flat();
  } catch (error) {
    return [{ level: 'error', message: explain(error) }];
  }
}

async function checkServer(endpoint: Endpoint, plan: Plan, log: Logger, signal: AbortSignal): Promise<readonly Finding[]> {
  const { user, group } = plan;
  const userFilter = user.filter.fill({ user: [NOBODY], local: [NOBODY], domain: [NOBODY] });
  const groupFilter = group.filter.fill({ dn: [`uid=${NOBODY},${group.base}`], uid: [NOBODY] });
  try {
    const connection = await openConnection(endpoint, plan, log, signal);
    try {
      const findings = [certificate(connection, plan.credentials)];
      if (user.fixedBase) findings.push(...(await checkBase(connection, 'user', user.base({}) ?? '', userFilter, signal)));
      findings.push(...(await checkBase(connection, 'group', group.base, plan.strategy === 'search' ? groupFilter : undefined, signal)));
      return findings.map((finding) => ({ ...finding, message: `${endpoint.uri}: ${finding.message}` }));
    } finally {
      connection.destroy();
    }
  } catch (error) {
    const fix =
      error instanceof ConfigError
        ? 'correct the file'
        : 'see that the server runs, that a firewall lets it through, and that uris, tls_ca_file and bind_dn are right';
    return [{ level: 'error', message: `${endpoint.uri}: ${explain(error)}`, fix }];
  }
}

function certificate({ transport }: Connection, credentials: Credentials): Finding {
  const how = `bound ${describe(credentials)}`;
  if (!(transport instanceof TLSSocket)) return { level: 'ok', message: how };
  const until = new Date(transport.getPeerCertificate().valid_to);
  const days = Math.floor((until.getTime() - Date.now()) / 86_400_000);
  const message = `${how}, ${transport.getProtocol() ?? 'TLS'}, certificate valid until ${until.toISOString().slice(0, 10)} (${days} days)`;
  return days < CERTIFICATE_WARNING ? { level: 'warning', message, fix: "renew the server's certificate" } : { level: 'ok', message };
}

/** Whether a base can be read, and whether a search for nobody below it is served from an index. */
async function checkBase(
  connection: Connection,
  what: 'user' | 'group',
  base: string,
  filter: Filter | undefined,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const option = `${what}_base`;
  /** The best of three: the others may have waited for something else. */
  const timed = async (where: string, scope: 'base' | 'sub', condition: Filter): Promise<number> => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const started = performance.now();
      await connection.search({ base: where, scope, filter: condition, attributes: ['1.1'] }, signal);
      best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  try {
    const { entries } = await connection.search({ base, scope: 'base', filter: ANYTHING, attributes: ['1.1'] }, signal);
    if (entries.length === 0) return [{ level: 'error', message: `${option} "${base}" can't be read`, fix: 'let this bind read it' }];
    const findings: Finding[] = [{ level: 'ok', message: `${option} "${base}" is there` }];
    if (filter === undefined) return findings;
    const [ms, roundTrip] = [await timed(base, 'sub', filter), await timed('', 'base', ANYTHING)];
    const message = `${what}_filter: a search takes ${ms.toFixed(1)} ms (a round trip ${roundTrip.toFixed(1)} ms)`;
    const slow = ms > SLOW.ms && ms > roundTrip * SLOW.roundTrips;
    const fix = `give the server an index for each attribute of ${filter}`;
    return [...findings, slow ? { level: 'warning', message, fix } : { level: 'ok', message }];
  } catch (error) {
    return [{ level: 'error', message: `${option}: ${explain(error)}`, fix: `correct ${option}, or let this bind read it` }];
  }
}
