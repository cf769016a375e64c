import { TLSSocket } from 'node:tls';
import { ConfigError, explain } from '../../support/errors.js';
import type { Finding } from '../provider.js';
import { type Credentials, describe, type SearchRequest } from './client.js';
import { type Connection, type ConnectionSettings, openConnection } from './connection.js';
import { missing } from './directory.js';
import { SearchFailed } from './errors.js';
import { ANYTHING } from './filter.js';
import type { Plan } from './plan.js';
import type { Servers } from './servers.js';

/** A certificate that ends sooner than this is worth a warning: days. */
const CERTIFICATE_WARNING = 21;
/** A search for nobody that takes longer than this, and this many times a round trip, isn't served from an index: milliseconds. */
const SLOW = { ms: 3, roundTrips: 10 };

/** What `acl-groups check` says about each server: reachable, TLS, bind, bases, searches without an index. */
export async function checkServers(
  servers: Servers,
  settings: ConnectionSettings,
  plan: Plan,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    const endpoints = await servers.endpoints(signal);
    const findings = await Promise.all(
      endpoints.map(async (endpoint): Promise<readonly Finding[]> => {
        try {
          const connection = await openConnection(endpoint, settings, signal);
          try {
            const findings = [
              certificate(connection, settings.credentials),
              ...(await bases(connection, plan, signal)),
              ...(await speed(connection, plan, signal)),
            ];
            return findings.map((finding) => ({ ...finding, message: `${endpoint.uri}: ${finding.message}` }));
          } finally {
            connection.destroy();
          }
        } catch (error) {
          return [{ level: 'error', message: `${endpoint.uri}: ${explain(error)}`, fix: fixFor(error) }];
        }
      }),
    );
    return findings.flat();
  } catch (error) {
    return [{ level: 'error', message: explain(error) }];
  }
}

function fixFor(error: unknown): string {
  if (error instanceof ConfigError) return 'correct the file';
  return 'see that the server runs, that a firewall lets it through, and that uris, tls_ca_file and bind_dn are right';
}

function certificate({ transport }: Connection, credentials: Credentials): Finding {
  const how = `bound ${describe(credentials)}`;
  if (!(transport instanceof TLSSocket)) return { level: 'ok', message: how };
  const until = new Date(transport.getPeerCertificate().valid_to);
  const days = Math.floor((until.getTime() - Date.now()) / 86_400_000);
  const message = `${how}, ${transport.getProtocol() ?? 'TLS'}, certificate valid until ${until.toISOString().slice(0, 10)} (${days} days)`;
  return days < CERTIFICATE_WARNING ? { level: 'warning', message, fix: "renew the server's certificate" } : { level: 'ok', message };
}

async function bases(connection: Connection, plan: Plan, signal: AbortSignal): Promise<readonly Finding[]> {
  const wanted = [
    ...(plan.user.fixedBase ? [{ option: 'user_base', base: plan.user.base({}) ?? '' }] : []),
    ...(plan.group.base !== '' ? [{ option: 'group_base', base: plan.group.base }] : []),
  ];
  return Promise.all(
    wanted.map(async ({ option, base }): Promise<Finding> => {
      try {
        const { entries } = await connection.search({ base, scope: 'base', filter: ANYTHING, attributes: ['1.1'] }, signal);
        if (entries.length > 0) return { level: 'ok', message: `${option} "${base}" is there` };
        return { level: 'error', message: `${option} "${base}" can't be read`, fix: 'let this bind read it' };
      } catch (error) {
        return { level: 'error', message: `${option}: ${explain(error)}`, fix: `correct ${option}, or let this bind read it` };
      }
    }),
  );
}

/** Searches for somebody who isn't there: with an index that takes no longer than a round trip. */
async function speed(connection: Connection, plan: Plan, signal: AbortSignal): Promise<readonly Finding[]> {
  const nobody = 'acl-groups-check-nobody';
  const timed = async (request: SearchRequest): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const started = performance.now();
      await connection.search(request, signal);
      times.push(performance.now() - started);
    }
    // The best of them: the others may have waited for something else.
    return Math.min(...times);
  };
  const roundTrip = await timed({ base: '', scope: 'base', filter: ANYTHING, attributes: ['1.1'] });
  const user = plan.user.filter.fill({ user: [nobody], local: [nobody], domain: [nobody] });
  const group =
    plan.strategy === 'search' ? plan.group.filter.fill({ dn: [`uid=${nobody},${plan.group.base}`], uid: [nobody] }) : undefined;
  const findings: Finding[] = [];
  for (const [option, base, filter] of [
    ['user_filter', plan.user.fixedBase ? plan.user.base({}) : undefined, user],
    ['group_filter', plan.group.base, group],
  ] as const) {
    if (filter === undefined || base === undefined) continue;
    try {
      const ms = await timed({ base, scope: 'sub', filter, attributes: ['1.1'] });
      const slow = ms > SLOW.ms && ms > roundTrip * SLOW.roundTrips;
      const message = `${option}: a search takes ${ms.toFixed(1)} ms (a round trip ${roundTrip.toFixed(1)} ms)`;
      findings.push(
        slow ? { level: 'warning', message, fix: `give the server an index for each attribute of ${filter}` } : { level: 'ok', message },
      );
    } catch (error) {
      // A base that is missing has a finding of its own.
      if (!(error instanceof SearchFailed) || !missing(error)) throw error;
    }
  }
  return findings;
}
