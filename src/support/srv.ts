import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { explain } from './errors.js';
import { within } from './within.js';

/** How long DNS is believed: milliseconds. Node.js doesn't tell how long the answer says. */
const BELIEVED = 60_000;

/** Asks DNS for the SRV records of a name. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/**
 * The servers of a service, by the SRV records of its name, in the order to try them. DNS is asked once a minute, once for all who wait.
 * `timeout` is in milliseconds; `resolve` stands for DNS in tests.
 * @throws Error when DNS names none and never has: an older answer is better than none
 */
export function createService(
  name: string,
  timeout: number,
  resolve: ResolveSrv = systemResolver(timeout),
): () => Promise<readonly SrvRecord[]> {
  let answer: readonly SrvRecord[] | undefined;
  let asking: Promise<readonly SrvRecord[]> | undefined;
  let since = 0;
  const ask = async (): Promise<readonly SrvRecord[]> => {
    try {
      const records = await within(resolve(name), { ms: timeout, what: 'no answer' });
      // A target of "." says that there is no such service.
      const found = ranked(records).filter((record) => record.name !== '' && record.name !== '.');
      if (found.length === 0) throw new Error('DNS names no server');
      answer = found;
    } catch (error) {
      if (answer === undefined) throw new Error(`SRV ${name}: ${explain(error)}`, { cause: error });
    }
    since = performance.now();
    return answer;
  };
  return () => {
    if (answer !== undefined && performance.now() - since < BELIEVED) return Promise.resolve(answer);
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
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
  for (let [first] = left; first !== undefined; [first] = left) {
    const { priority } = first;
    const rivals = left.filter((record) => record.priority === priority);
    let point = random() * rivals.reduce((sum, { weight }) => sum + weight, 0);
    const chosen =
      rivals.find(({ weight }) => {
        point -= weight;
        return point < 0;
      }) ??
      rivals.at(-1) ??
      first;
    result.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return result;
}
