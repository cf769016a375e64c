import type { Config } from '../config/load.js';
import { joinSpellings } from '../dovecot/fields.js';
import { appendAclGroups, endsInVariable, formatAclGroups, isPlain, isPlainList, parseAclGroups } from '../dovecot/notation.js';
import type { VersionFound } from '../dovecot/version.js';
import { USERDB_SOURCE } from '../providers/own-sources.js';
import { ConfigError } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import type { LoginRequest } from './request.js';
import type { ProviderReport, Resolution, SourcedGroup } from './resolve.js';
import { type SkippedGroup, selectGroups } from './select.js';

/** What a login is told, and how it came about. */
export interface LoginAnswer {
  /**
   * `deny` when a provider failed and `on_error` doesn't say to go on. `unknown` when every provider said that it doesn't know this user:
   * the login goes on, and no door adds or changes anything.
   */
  readonly verdict: 'grant' | 'deny' | 'unknown';
  /** The value of `acl_groups`, in Dovecot's notation. For `unknown`, what the userdb gave. */
  readonly value: string;
  /** Whether its notation depends on Dovecot's version: only then has anybody looked for that. */
  readonly versionMatters: boolean;
  /** The version whose notation it is; `undefined` where it doesn't matter, or can't be found out. */
  readonly dovecot: VersionFound | undefined;
  /** All groups of the value, those of the userdb first, as far as they can be read. */
  readonly groups: readonly SourcedGroup[];
  /** What the userdb gave, one list of all spellings, which starts with `acl_groups` as it came: the start of the value. */
  readonly existing: string;
  /** The groups behind that, in order: the end of `groups`. */
  readonly added: readonly SourcedGroup[];
  readonly skipped: readonly SkippedGroup[];
  readonly providers: readonly ProviderReport[];
}

/**
 * Makes the answer to a login out of what the providers said: the groups of the userdb first, then the providers' in order.
 * `findVersion` is asked only when the version makes a difference.
 * @throws ConfigError where nothing but the version tells which groups the userdb gave, and it can't be found out
 */
export async function answerLogin(
  request: LoginRequest,
  resolution: Resolution,
  config: Pick<Config, 'groups' | 'on_error' | 'on_incomplete'>,
  findVersion: () => Promise<VersionFound | undefined>,
): Promise<LoginAnswer> {
  const known = resolution.reports.some(({ outcome }) => outcome === 'found');
  const selection = selectGroups(resolution.groups, config.groups, known);
  const reports = config.on_incomplete === 'deny' ? failIncomplete(resolution.reports, selection.skipped) : resolution.reports;
  const failed = new Set(reports.flatMap(({ name, outcome }) => (outcome === 'error' ? [name] : [])));
  // Selected anew, as a group of a provider that failed may have stood in the place of another one's of the same name.
  const selected =
    failed.size === 0
      ? selection.groups
      : selectGroups(
          resolution.groups.filter(({ provider }) => !failed.has(provider)),
          config.groups,
          known,
        ).groups;
  const versionMatters = request.others.length > 0 || readsDifferently(selected, request.existing);
  const dovecot = versionMatters ? await findVersion() : undefined;
  const list = listGiven(request, dovecot);
  const existing = parseAclGroups(list, dovecot?.version).map((name) => ({ name, provider: USERDB_SOURCE }));
  const given = new Set(existing.map(({ name }) => name));
  const wanted = selected.filter(({ name }) => !given.has(name));
  const written = formatAclGroups(
    wanted.map(({ name }) => name),
    dovecot?.version,
  );
  const inexpressible = new Map(written.skipped.map(({ name, reason }) => [name, reason]));
  const skipped = wanted.flatMap(({ name, provider }) => {
    const reason = inexpressible.get(name);
    return reason === undefined ? [] : [{ name, provider, reason, wanted: false }];
  });
  const added = wanted.filter(({ name }) => !inexpressible.has(name));
  return {
    verdict: verdictOf(reports, config.on_error),
    value: appendAclGroups(list, written.value, dovecot?.version),
    versionMatters,
    dovecot,
    groups: [...existing, ...added],
    existing: list,
    added,
    skipped: [...selection.skipped, ...skipped],
    providers: reports,
  };
}

/** One list of all that the userdb gave. */
function listGiven({ existing, others }: LoginRequest, dovecot: VersionFound | undefined): string {
  const [first] = others;
  if (first === undefined) return existing;
  if (dovecot !== undefined) return joinSpellings(existing, others, dovecot.version);
  throw new ConfigError(
    `the userdb's field ${first.key} gives groups in some versions of Dovecot, and which one is here can't be found out; set dovecot_version, or use -D`,
  );
}

function verdictOf(reports: readonly ProviderReport[], onError: Config['on_error']): LoginAnswer['verdict'] {
  if (onError === 'deny' && reports.some(({ outcome }) => outcome === 'error')) return 'deny';
  // With on_error = "continue", a provider that failed may know the user: then what there is is passed on.
  return reports.every(({ outcome }) => outcome === 'unknown-user') ? 'unknown' : 'grant';
}

/** For `on_incomplete = "deny"`: a provider that names groups which can't be read has failed. */
function failIncomplete(reports: readonly ProviderReport[], skipped: readonly SkippedGroup[]): readonly ProviderReport[] {
  return reports.map((report) => {
    const lost = skipped.filter(({ provider, incomplete }) => provider === report.name && incomplete);
    const [first] = lost;
    if (first === undefined) return report;
    const more = lost.length > 1 ? `; and ${lost.length - 1} more` : '';
    return { ...report, outcome: 'error', error: `group "${first.name}": ${first.reason}${more} (on_incomplete = "deny")` };
  });
}

/** Says in the log what an administrator has to know about an answer: failures, and groups that were skipped. */
export function logAnswer(user: string, answer: LoginAnswer, log: Logger): void {
  for (const { name, outcome, error } of answer.providers) {
    if (outcome !== 'error') continue;
    const consequence =
      answer.verdict === 'deny' ? 'login denied (on_error = "deny")' : 'going on without its groups (on_error = "continue")';
    log.error(`${user}: provider ${name} failed: ${error}; ${consequence}`);
  }
  for (const { name, provider, reason, wanted } of answer.skipped) {
    log[wanted ? 'debug' : 'warning'](`${user}: group "${name}" of provider ${provider} skipped: ${reason}`);
  }
  for (const { name, provider, warning } of answer.groups) {
    if (warning !== undefined) log.warning(`${user}: group "${name}" of provider ${provider}: ${warning}`);
  }
}

/** Whether a name has to be quoted, or may stand, quoted, in the existing value already, or can't just follow that value. */
function readsDifferently(groups: readonly SourcedGroup[], existing: string): boolean {
  if (endsInVariable(existing)) return true;
  const maybeQuoted = isPlainList(existing) ? '' : existing;
  return groups.some(({ name }) => !isPlain(name) || maybeQuoted.includes(name));
}
