import { readFileSync, statSync } from 'node:fs';
import { explain } from '../../support/errors.js';
import { whyReplaceable, whyUntrusted } from '../../support/trusted-file.js';
import type { Finding } from '../provider.js';
import type { Source, SourcePaths } from './database.js';
import { expectAnswers, type NameServiceContext } from './name-services.js';
import { describeServices, filesRule, type NameServices } from './nsswitch.js';

/** What is looked at. */
export interface CheckContext extends NameServiceContext {
  readonly source: Source;
  readonly paths: SourcePaths;
  /** Lookups by name services that may run at a time, and that may wait. */
  readonly limits: readonly [running: number, waiting: number];
  /** @throws Error when the addon isn't installed */
  readonly findUserid: () => Promise<unknown>;
}

/** What `acl-groups check` says about the machine's accounts: which database answers and why, what it needs, and who may write it. */
export async function checkAccounts(context: CheckContext, signal: AbortSignal): Promise<readonly Finding[]> {
  try {
    const services = context.services();
    const { accounts, groups } = context.files.counts();
    const inFiles: Finding = {
      level: 'ok',
      message: `${context.paths.passwd} has ${accounts} accounts, ${context.paths.group} ${groups} group ids`,
    };
    const asksServices = context.source !== 'files' && (context.source !== 'auto' || filesRule(services) !== 'all');
    return [
      database(context, services),
      inFiles,
      ...writers(context.paths),
      ...comments(services),
      ...unendedLine(context.paths.nsswitch),
      ...(asksServices ? [await calls(context), ...(await answering(context, services, signal))] : []),
    ];
  } catch (error) {
    return [{ level: 'error', message: explain(error) }];
  }
}

/** Which database answers, and why that one. */
function database({ source, paths, systemd }: CheckContext, services: NameServices): Finding {
  const files = `${paths.passwd} and ${paths.group}`;
  const named = `nsswitch.conf has ${describeServices(services)}`;
  const rule = filesRule(services);
  if (source === 'files') {
    if (rule === 'all') return { level: 'ok', message: `accounts are looked up in ${files}: source = "files"` };
    const message = `accounts are looked up in ${files} alone, because of source = "files", but ${named}`;
    return { level: 'warning', message, fix: 'set source = "auto", unless the other services are to be ignored' };
  }
  if (source !== 'auto') return { level: 'ok', message: `accounts are looked up by the name services: source = "${source}"; ${named}` };
  if (rule === 'all') return { level: 'ok', message: `accounts are looked up in ${files}: ${named}` };
  if (rule === 'none') return { level: 'ok', message: `accounts are looked up by the name services: ${named}` };
  const { adds } = systemd();
  if (adds === undefined)
    return { level: 'ok', message: `accounts of ${files} are looked up there, others by the name services: ${named}` };
  return { level: 'ok', message: `accounts are looked up by the name services, because systemd may add groups (${adds}): ${named}` };
}

/** Others than root must not decide who is in a group. */
function writers({ passwd, group, nsswitch }: SourcePaths): readonly Finding[] {
  return [passwd, group, nsswitch].flatMap((path): readonly Finding[] => {
    const stats = statSync(path, { throwIfNoEntry: false });
    const distrust = stats && whyUntrusted(path, stats);
    if (distrust !== undefined) return [{ level: 'error', message: `${path} ${distrust.problem}`, fix: distrust.fix }];
    const replaceable = stats && whyReplaceable(path);
    if (replaceable === undefined) return [];
    return [{ level: 'warning', message: `the directory of ${path} ${replaceable.problem}`, fix: replaceable.fix }];
  });
}

function comments({ passwd, group, initgroups = [] }: NameServices): readonly Finding[] {
  const words = [...passwd, ...group, ...initgroups].filter(({ commented }) => commented).map(({ name }) => name);
  if (words.length === 0) return [];
  const message = `nsswitch.conf: the C library takes what is behind a list for services, not for a comment: ${words.join(' ')}`;
  return [{ level: 'warning', message, fix: 'move the comment to a line of its own' }];
}

function unendedLine(path: string): readonly Finding[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const text = readFileSync(path, 'latin1');
  const [last = ''] = text.split('\n').slice(-1);
  if (last.trim() === '' || last.trim().startsWith('#')) return [];
  const message = `${path}: the C library ignores its last line, because no newline ends it: ${last.trim()}`;
  return [{ level: 'warning', message, fix: `run: echo >> ${path}` }];
}

/** What asks the C library. */
async function calls({ source, includePrimary, limits: [running, waiting], findUserid }: CheckContext): Promise<Finding> {
  const limits = `${running} lookups at a time, ${waiting} may wait`;
  if (source === 'getent') return { level: 'ok', message: `getent asks the name services (source = "getent"): ${limits}` };
  if (!includePrimary) return { level: 'ok', message: `getent asks the name services (include_primary = false): ${limits}` };
  try {
    await findUserid();
    return { level: 'ok', message: `the userid addon asks the name services in the service, getent elsewhere: ${limits}` };
  } catch (error) {
    const [reason = ''] = explain(error).split('\n');
    const fix = 'run: npm rebuild userid (needs a C++ compiler)';
    if (source === 'userid') return { level: 'error', message: `the userid addon can't be loaded: ${reason}`, fix };
    const message = `getent asks the name services, with the same answers as the userid addon but slower, because that can't be loaded: ${limits}`;
    return { level: 'ok', message, fix };
  }
}

async function answering(context: CheckContext, services: NameServices, signal: AbortSignal): Promise<readonly Finding[]> {
  return await Promise.all(
    (['passwd', 'group'] as const).map(async (name): Promise<Finding> => {
      try {
        await expectAnswers(name, services, context, signal);
        return { level: 'ok', message: `the name services for ${name} answer` };
      } catch (error) {
        return { level: 'error', message: explain(error) };
      }
    }),
  );
}
