import { execFile } from 'node:child_process';
import { loadConfig } from '../config/load.js';
import { builtFile } from '../support/built-file.js';
import { explain } from '../support/errors.js';
import { type ConfigSight, error, type PlacedFinding, type ServiceCheck } from './finding.js';
import type { Identity } from './identity.js';
import { type KnownGroups, knownGroups } from './known-groups.js';

/** What is to be looked at with the service's rights. Goes to another process as JSON. */
export interface ServiceTask {
  /** The configuration file that the command line names. */
  readonly config: string | undefined;
  readonly configFile: string;
  /** Groups to look for in the sources. */
  readonly asked: readonly string[];
}

/** What was seen. Comes from another process as JSON. */
export interface ServiceView {
  /** By the name of the check. */
  readonly findings: Readonly<Record<string, readonly PlacedFinding[]>>;
  /** What other checks want to know of the configuration; `undefined` for one that can't be used. */
  readonly config: { readonly providers: readonly string[]; readonly add: readonly string[]; readonly room: number } | undefined;
  readonly known: KnownGroups | undefined;
}

/** Milliseconds: longer than the providers' own checks may take. */
const TIMEOUT = 90_000;

/** Looks in this process, with its rights. */
export async function lookHere({ config: given, configFile, asked }: ServiceTask, checks: readonly ServiceCheck[]): Promise<ServiceView> {
  const config = await loadConfig(given).catch((thrown: unknown) => (thrown instanceof Error ? thrown : new Error(explain(thrown))));
  const sight: ConfigSight = { configFile, config };
  const findings: Record<string, readonly PlacedFinding[]> = {};
  for (const { name, look } of checks) {
    findings[name] = await look(sight).catch((thrown: unknown) => [error(configFile, `this check failed: ${explain(thrown)}`)]);
  }
  if (config instanceof Error) return { findings, config: undefined, known: undefined };
  const known =
    asked.length === 0
      ? undefined
      : await knownGroups(config, asked).catch((thrown: unknown) => ({ names: [], silent: [explain(thrown)] }));
  return { findings, config: { providers: config.providers, add: config.groups.add, room: config.userdb.room }, known };
}

/**
 * Looks in a process with the rights of an identity, as Dovecot's master starts the service: setpriv(1) gives up root's for good, so that
 * what a third-party provider does there is what it could do in the service. Node.js itself can't take rights where it may use io_uring.
 * @throws Error when such a process can't look: setpriv isn't there, or the identity may not read the program
 */
export async function lookAs({ name, uid, gid, groups }: Identity, task: ServiceTask): Promise<ServiceView> {
  const program = builtFile('check-as-service.cjs', import.meta.url);
  const rights = [`--reuid=${uid}`, `--regid=${gid}`, `--groups=${[gid, ...groups].join(',')}`];
  const words = [...rights, '--', process.execPath, program];
  return await new Promise((resolve, reject) => {
    const options = {
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      cwd: '/',
      timeout: TIMEOUT,
      maxBuffer: 1 << 28,
    };
    const child = execFile('setpriv', words, options, (failed, stdout, stderr) => {
      if (failed === null) resolve(JSON.parse(stdout) as ServiceView);
      else if (failed.code === 'ENOENT') reject(new Error('setpriv (util-linux) is not installed'));
      else
        reject(
          new Error(
            `${process.execPath} ${program} doesn't run as ${name}: ${stderr.split('\n').find((line) => /error/i.test(line)) ?? failed.message}`,
          ),
        );
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(JSON.stringify(task));
  });
}
