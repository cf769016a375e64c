import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { explain, ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import { GivenUp, within } from './errors.js';
import { type Endpoint, endpointOfService } from './uri.js';

/** How long DNS is believed: milliseconds. Node.js doesn't tell how long the answer says. */
const SRV_TIME = 60_000;
/** Until what age an answer is used while DNS is asked again: milliseconds. An older one may be about servers that are no more. */
const SRV_STALE_TIME = 600_000;

/** Asks DNS for the SRV records of a name. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

export interface DomainSettings {
  readonly starttls: boolean;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly log: Logger;
  readonly resolveSrv?: ResolveSrv | undefined;
}

/** Names the servers of a domain. @throws ProviderError, GivenUp */
export type Domain = (signal: AbortSignal) => Promise<readonly Endpoint[]>;

/** The servers of a domain, by RFC 2782 and RFC 2052's rule for the name. Asked once for all who wait, and then once a minute, on the side. */
export function createDomain(domain: string, settings: DomainSettings): Domain {
  const name = `_ldap._tcp.${domain}`;
  const resolveSrv = settings.resolveSrv ?? systemResolver(settings.connectTimeout);
  let answer: readonly Endpoint[] | undefined;
  let asking: Promise<readonly Endpoint[]> | undefined;
  let since = 0;
  const ask = async (): Promise<readonly Endpoint[]> => {
    try {
      const records = await within(resolveSrv(name), { ms: settings.connectTimeout, what: 'no answer' });
      // A target of "." says that there is no such service.
      const found = ranked(records).filter((record) => record.name !== '' && record.name !== '.');
      if (found.length === 0) throw new Error('DNS names no server');
      answer = found.map((record) => endpointOfService(domain, record.name, record.port, settings.starttls));
    } catch (error) {
      // Servers that were right a while ago are better than none, and TLS knows an impostor.
      if (answer === undefined)
        throw new ProviderError('ldap', `SRV ${name}: ${explain(error)}`, { cause: error, timedOut: error instanceof GivenUp });
      settings.log.debug(`SRV ${name}: ${explain(error)}; going on with the last answer`);
    }
    since = performance.now();
    return answer;
  };
  return (signal) => {
    const age = performance.now() - since;
    if (answer !== undefined && age < SRV_TIME) return Promise.resolve(answer);
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    if (answer !== undefined && age < SRV_STALE_TIME) return Promise.resolve(answer);
    return within(asking, { ms: settings.connectTimeout, what: `SRV ${name}: no answer`, signal });
  };
}

function systemResolver(timeout: number): ResolveSrv {
  const resolver = new Resolver({ timeout: Math.max(1, Math.floor(timeout / 2)), tries: 2 });
  return (name) => resolver.resolveSrv(name);
}

/** In the order to try them: by priority, and within one at random by weight (RFC 2782). `random` is for tests. */
export function ranked(records: readonly SrvRecord[], random: () => number = Math.random): readonly SrvRecord[] {
  const result: SrvRecord[] = [];
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  while (left.length > 0) {
    const rivals = left.filter(({ priority }) => priority === left[0]?.priority);
    const total = rivals.reduce((sum, { weight }) => sum + weight, 0);
    let point = random() * total;
    const chosen =
      rivals.find(({ weight }) => {
        point -= weight;
        return point < 0;
      }) ?? rivals[rivals.length - 1];
    if (chosen === undefined) break;
    result.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return result;
}
