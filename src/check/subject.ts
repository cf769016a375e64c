import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, DEFAULT_CONFIG_FILE, loadConfig } from '../config/load.js';
import { builtFile } from '../support/built-file.js';
import { explain } from '../support/errors.js';
import { type FoundDovecot, findDovecot } from './doveconf.js';
import { type DovecotFacts, type Service, socketOfUri } from './facts.js';
import { type Identity, identityOf } from './identity.js';
import { type Probe, probeService } from './probe.js';

/** What the command line says about what to look at. */
export interface Wish {
  /** The configuration file; the default one unless given. */
  readonly config: string | undefined;
  readonly dovecotConfig: string | undefined;
  readonly socket: string | undefined;
  readonly acl: readonly string[];
  readonly user: string;
}

/** What the checks look at. What several of them need is found once. */
export interface Subject extends Wish {
  readonly configFile: string;
  readonly dovecot: FoundDovecot;
  /** Dovecot's facts, where there is one. */
  readonly facts: DovecotFacts | undefined;
  /** Whom the service, or exec mode, runs as; `undefined` where nothing says so. */
  readonly identity: Identity | undefined;
  /** The account that dovecot.conf names for that, whether it is there or not. */
  readonly identityName: string | undefined;
  /** The service's socket: the one given, or the one that Dovecot's configuration names. */
  readonly serviceSocket: string | undefined;
  /** The `acl-groups` command, for what is to be pasted. */
  readonly command: string;
  /** The configuration, read with the rights of whoever asks first; or why it can't be used. */
  loadConfig(): Promise<Config | Error>;
  /** What the service says; `undefined` where there is no socket to ask. */
  probe(): Promise<Probe | undefined>;
}

/** Finds what there is to look at. */
export async function openSubject(wish: Wish): Promise<Subject> {
  const dovecot = await findDovecot(wish.dovecotConfig);
  const facts = 'facts' in dovecot ? dovecot.facts : undefined;
  const runner = facts && runnerOf(facts);
  const identityName = runner && (runner.user || 'root');
  let config: Promise<Config | Error> | undefined;
  let probing: Promise<Probe> | undefined;
  const serviceSocket = wish.socket ?? (facts && socketOf(facts));
  return {
    ...wish,
    ...{ dovecot, facts, identityName },
    configFile: wish.config ?? DEFAULT_CONFIG_FILE,
    identity: runner && (await identityOf(runner.user || 'root', runner.group, runner.extraGroups)),
    serviceSocket,
    command: findCommand(),
    loadConfig() {
      config ??= loadConfig(wish.config).catch((error: unknown) => (error instanceof Error ? error : new Error(explain(error))));
      return config;
    },
    async probe() {
      if (serviceSocket === undefined) return undefined;
      probing ??= probeService(serviceSocket, wish.user);
      return probing;
    },
  };
}

function runnerOf({ own, doors }: DovecotFacts): Service | undefined {
  return own ?? [...doors.scriptLogin.values()][0];
}

function socketOf({ own, doors }: DovecotFacts): string | undefined {
  const uris = doors.userdb?.door.uris ?? '';
  return own?.listeners[0]?.path ?? socketOfUri(uris) ?? [...doors.postLogin.values()][0];
}

/** The path of the command as an administrator has it: a link of that name where it leads here, else the launcher itself. */
function findCommand(): string {
  const usual = '/usr/bin/acl-groups';
  try {
    const directory = dirname(builtFile('acl-groups.cjs', import.meta.url));
    const launcher = realpathSync(join(directory, '../native-free/acl-groups'));
    const places = [usual, '/usr/local/bin/acl-groups', join(directory, '../../../../bin/acl-groups')];
    return places.find((path) => existsSync(path) && realpathSync(path) === launcher) ?? launcher;
  } catch {
    return usual;
  }
}
