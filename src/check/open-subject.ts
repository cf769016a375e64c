import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DEFAULT_CONFIG_FILE } from '../config/load.js';
import { builtFile } from '../support/built-file.js';
import { explain } from '../support/errors.js';
import { aclsInDoveconf } from './acl-blocks.js';
import { joinAcls, readAcls } from './acls.js';
import { lookAs, lookHere } from './as-service.js';
import { findDovecot } from './doveconf.js';
import { type DovecotFacts, type Service, socketOfUri } from './facts.js';
import { identityOf } from './identity.js';
import { type Probe, probeService } from './probe.js';
import { SERVICE_CHECKS } from './service-checks.js';
import type { Subject, Wish } from './subject.js';

/** Finds what there is to look at. */
export async function openSubject(wish: Wish): Promise<Subject> {
  const dovecot = await findDovecot(wish.dovecotConfig);
  const facts = 'facts' in dovecot ? dovecot.facts : undefined;
  const runner = facts && runnerOf(facts);
  const identityName = runner && (runner.user || 'root');
  let probing: Promise<Probe> | undefined;
  const serviceSocket = wish.socket ?? (facts && socketOf(facts));
  const configFile = wish.config === undefined ? DEFAULT_CONFIG_FILE : resolve(wish.config);
  const identity = runner && (await identityOf(runner.user || 'root', runner.group, runner.extraGroups));
  const acls = { files: readAcls(wish.acl), blocks: facts === undefined ? readAcls([]) : aclsInDoveconf(facts) };
  let view: ReturnType<Subject['serviceView']> | undefined;

  async function look(): ReturnType<Subject['serviceView']> {
    const config = wish.config === undefined ? undefined : configFile;
    const task = { config, configFile, asked: [...joinAcls([acls.files, acls.blocks]).named.keys()] };
    if (identity === undefined || identity.uid === 0 || process.geteuid?.() !== 0) return lookHere(task, SERVICE_CHECKS);
    try {
      return await lookAs(identity, task);
    } catch (error) {
      return { ...(await lookHere(task, SERVICE_CHECKS)), problem: explain(error) };
    }
  }

  return {
    ...wish,
    ...{ dovecot, facts, identityName, identity, configFile, acls },
    serviceSocket,
    command: findCommand(),
    serviceView() {
      view ??= look();
      return view;
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
