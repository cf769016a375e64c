import type { Config } from './config.js';
import { type DovecotVersion, formatAclGroups, isPlain, parseAclGroups } from './dovecot/acl-groups.js';
import type { LoginRequest } from './dovecot/userdb.js';
import type { VersionFound } from './dovecot/version.js';
import { type SkippedGroup, selectGroups } from './groups.js';
import type { Logger } from './log.js';
import type { ProviderReport, Resolution, SourcedGroup } from './resolve.js';

/** What a login is told, and how it came about. */
export interface LoginAnswer {
  /** `deny` when a provider failed and `on_error` doesn't say to go on. */
  readonly verdict: 'grant' | 'deny';
  /** The value of `acl_groups`, in Dovecot's notation. */
  readonly value: string;
  /** The version whose notation it is; `undefined` where no name needed to know. */
  readonly dovecot: VersionFound | undefined;
  readonly groups: readonly SourcedGroup[];
  readonly skipped: readonly SkippedGroup[];
  readonly providers: readonly ProviderReport[];
}

/** What the groups of the userdb are reported under. */
const USERDB = 'userdb';

/**
 * Makes the answer to a login out of what the providers said: the groups of the userdb first, then the providers' in order.
 * `findVersion` is asked only when some name means different things to different versions.
 */
export async function answerLogin(
  request: LoginRequest,
  resolution: Resolution,
  config: Pick<Config, 'groups' | 'on_error'>,
  findVersion: () => Promise<VersionFound | undefined>,
): Promise<LoginAnswer> {
  const selection = selectGroups(resolution.groups, config.groups);
  const plain = isPlainValue(request.existing) && selection.groups.every(({ name }) => isPlain(name));
  const dovecot = plain ? undefined : await findVersion();
  const existing = existingGroups(request.existing, dovecot?.version);
  const names = new Set(existing.map(({ name }) => name));
  const groups = [...existing, ...selection.groups.filter(({ name }) => !names.has(name))];
  const written = formatAclGroups(
    groups.map(({ name }) => name),
    dovecot?.version,
  );
  const inexpressible = new Map(written.skipped.map(({ name, reason }) => [name, reason]));
  return {
    verdict: resolution.reports.some(({ outcome }) => outcome === 'error') && config.on_error === 'deny' ? 'deny' : 'grant',
    value: written.value,
    dovecot,
    groups: groups.filter(({ name }) => !inexpressible.has(name)),
    skipped: [
      ...selection.skipped,
      ...groups.flatMap(({ name, provider }) => {
        const reason = inexpressible.get(name);
        return reason === undefined ? [] : [{ name, provider, reason }];
      }),
    ],
    providers: resolution.reports,
  };
}

/** Says in the log what an administrator has to know about an answer: failures, and groups that were left out. */
export function logAnswer(user: string, answer: LoginAnswer, log: Logger): void {
  for (const { name, outcome, error } of answer.providers) {
    if (outcome !== 'error') continue;
    const consequence =
      answer.verdict === 'deny' ? 'login denied (on_error = "deny")' : 'going on without its groups (on_error = "continue")';
    log.error(`${user}: provider ${name} failed: ${error}; ${consequence}`);
  }
  for (const { name, provider, reason } of answer.skipped)
    log.warning(`${user}: group "${name}" of provider ${provider} left out: ${reason}`);
}

function isPlainValue(value: string): boolean {
  return value.split(',').every(isPlain);
}

function existingGroups(value: string, version: DovecotVersion | undefined): readonly SourcedGroup[] {
  return parseAclGroups(value, version).map((name) => ({ name, provider: USERDB }));
}
