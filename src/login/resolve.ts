import { requireGroups } from '../providers/group-list.js';
import type { Group, LoginUser } from '../providers/provider.js';
import type { OpenProvider } from '../providers/registry.js';
import { milliseconds } from '../support/clock.js';
import { explain, ProviderError } from '../support/errors.js';

/** How one provider answered. */
export interface ProviderReport {
  readonly name: string;
  readonly outcome: 'found' | 'unknown-user' | 'error';
  readonly elapsed_ms: number;
  readonly error?: string | undefined;
}

/** A group, and the provider that named it. */
export type SourcedGroup = Group & { readonly provider: string };

/** What the providers said, in configured order. */
export interface Resolution {
  readonly groups: readonly SourcedGroup[];
  readonly reports: readonly ProviderReport[];
}

/** The same, from providers that were asked just now. */
export interface LiveResolution extends Resolution {
  /** Resolves when the last provider has ended: one that was given up on may still run. */
  readonly ended: Promise<unknown>;
}

/** Asks all providers at once; each has until the deadline, `timeout` milliseconds from now. Never rejects: a failure is in its report. */
export async function resolveGroups(user: LoginUser, providers: readonly OpenProvider[], timeout: number): Promise<LiveResolution> {
  const asked: Promise<unknown>[] = [];
  const answers = await Promise.all(providers.map((open) => ask(open, user, timeout, asked)));
  return {
    groups: answers.flatMap(({ groups, report }) => groups.map((group) => sourced(group, report.name))),
    reports: answers.map(({ report }) => report),
    ended: Promise.allSettled(asked),
  };
}

async function ask(
  { name, provider }: OpenProvider,
  user: LoginUser,
  timeout: number,
  asked: Promise<unknown>[],
): Promise<{ groups: readonly Group[]; report: ProviderReport }> {
  const started = milliseconds();
  const elapsed = (): number => Math.round((milliseconds() - started) * 1000) / 1000;
  const deadline = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    const asking = provider.groups(user, deadline.signal);
    asked.push(asking);
    // A race, because a provider may not heed the signal.
    const answer = await Promise.race([
      asking,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const error = new ProviderError(name, `no answer within ${timeout} ms`, { timedOut: true });
          reject(error);
          deadline.abort(error);
        }, timeout);
      }),
    ]);
    const groups = requireGroups(name, answer);
    return { groups: groups ?? [], report: { name, outcome: groups === undefined ? 'unknown-user' : 'found', elapsed_ms: elapsed() } };
  } catch (error) {
    return { groups: [], report: { name, outcome: 'error', elapsed_ms: elapsed(), error: explain(error) } };
  } finally {
    clearTimeout(timer);
  }
}

function sourced({ name, gid, dn, skip, wanted, incomplete, warning }: Group, provider: string): SourcedGroup {
  return { name, gid, dn, skip, wanted, incomplete, warning, provider };
}
