import { isIPv6 } from 'node:net';
import { ConfigError } from '../support/errors.js';

/** One server, and how to talk to it. */
export type Endpoint =
  | {
      readonly kind: 'tcp';
      /** As it is shown in messages, and told from others by. */
      readonly uri: string;
      readonly host: string;
      readonly port: number;
      /** `immediate`: TLS from the first byte (ldaps). `upgrade`: StartTLS. */
      readonly tls: 'none' | 'immediate' | 'upgrade';
      /** What its certificate may be made out to; one of them is enough. */
      readonly names: readonly string[];
    }
  | { readonly kind: 'unix'; readonly uri: string; readonly path: string };

/** A server, or a domain whose DNS names the servers. */
export type Location = Endpoint | { readonly kind: 'srv'; readonly uri: string; readonly domain: string };

const ALLOWED = 'ldap://HOST[:PORT], ldaps://HOST[:PORT], ldapi://%2Fpath%2Fof%2Fsocket or srv:DOMAIN';
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?$/;

/**
 * Reads an item of `uris`. `starttls` is about ldap:// and srv: only: ldaps:// has TLS already, and ldapi:// doesn't leave the machine.
 * @throws ConfigError
 */
export function parseUri(uri: string, starttls: boolean): Location {
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/is.exec(uri) ?? [];
  switch (scheme.toLowerCase()) {
    case 'srv':
      if (!HOST_NAME.test(rest)) throw refuse(uri, 'the part after srv: is no domain');
      return { kind: 'srv', uri, domain: rest.replace(/\.$/, '') };
    case 'ldapi':
      return { kind: 'unix', uri, path: socketPath(uri, rest) };
    case 'ldap':
      return { kind: 'tcp', uri, tls: starttls ? 'upgrade' : 'none', ...hostAndPort(uri, rest, 389) };
    case 'ldaps':
      return { kind: 'tcp', uri, tls: 'immediate', ...hostAndPort(uri, rest, 636) };
    default:
      throw refuse(uri, 'unknown scheme');
  }
}

/**
 * A server that DNS named. Unless DNS is signed, anybody may have put the target there: so the certificate has to be made out to
 * something that the administrator wrote, the domain or a host in it (RFC 4513, 3.1.3).
 */
export function endpointOfService(domain: string, host: string, port: number, starttls: boolean): Endpoint {
  const target = host.replace(/\.$/, '');
  const inside = target.toLowerCase().endsWith(`.${domain.toLowerCase()}`);
  return {
    kind: 'tcp',
    uri: `ldap://${target}:${port}`,
    host: target,
    port,
    tls: starttls ? 'upgrade' : 'none',
    names: inside ? [target, domain] : [domain],
  };
}

function hostAndPort(uri: string, rest: string, standardPort: number): { host: string; port: number; names: readonly string[] } {
  const [, address, name, digits] = /^\/\/(?:\[([^\]]*)\]|([^:/?#@[\]]*))(?::(\d{1,5}))?\/?$/.exec(rest) ?? [];
  const host = address ?? name ?? '';
  if (address === undefined ? !HOST_NAME.test(host) : !isIPv6(host)) {
    throw refuse(uri, rest.startsWith('//') ? 'expected a host, and at most a port behind it' : 'expected // behind the scheme');
  }
  const port = digits === undefined ? standardPort : Number(digits);
  if (port < 1 || port > 65_535) throw refuse(uri, 'a port is a number from 1 to 65535');
  return { host, port, names: [host.replace(/\.$/, '')] };
}

function socketPath(uri: string, rest: string): string {
  let path = '';
  try {
    path = decodeURIComponent(/^\/\/([^/?#]*)\/?$/.exec(rest)?.[1] ?? '');
  } catch {
    // A stray %: refused below.
  }
  if (!path.startsWith('/')) throw refuse(uri, "expected a socket's absolute path with each / written as %2F");
  return path;
}

function refuse(uri: string, reason: string): ConfigError {
  // A password may have been written where other programs take one.
  const shown = uri.replace(/\/\/.*@/s, '//…@');
  return new ConfigError(`uris: "${shown}": ${reason}; allowed are ${ALLOWED}`);
}
