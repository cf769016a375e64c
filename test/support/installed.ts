/**
 * The package as its users get it: packed and installed globally, once per run and world.
 *
 *     const installed = await installPackage();       // in a benchmark; in a suite: inject('installed')
 *     installed.package['2.4'].command                // the path of `acl-groups`, inside that version's world
 *     await installed.remove();
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureDebian13 } from './debian13.js';
import { PROJECT } from './project.js';
import { type DovecotVersion, openWorld, VERSIONS, WORLD_PATH } from './world.js';

/** An installed package. The same paths hold inside and outside its world. */
export interface InstalledPackage {
  /** The `acl-groups` command. */
  readonly command: string;
  /** What `npm install --prefix` was given. */
  readonly prefix: string;
  /** Where package.json is. */
  readonly directory: string;
  /** Whether the userid addon is there: it needs a compiler, which the Debian 13 world lacks. */
  readonly addon: boolean;
}

export type Installed = Readonly<Record<DovecotVersion, InstalledPackage>>;

const run = promisify(execFile);

/** Packs the checkout as it was built (suites that run use that build) and installs the tarball in each world, by the world's own Node.js. */
export async function installPackage(): Promise<{ readonly package: Installed; readonly remove: () => Promise<void> }> {
  await ensureDebian13();
  const directory = await mkdtemp('/tmp/acl-groups-package-');
  await chmod(directory, 0o755);
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], { cwd: PROJECT });
    await run('sh', ['-c', 'mv "$1"/*.tgz "$1/package.tgz"', 'sh', directory]);
    // Debian 13's nodejs comes without npm; this machine's runs on any Node.js.
    const { stdout } = await run('npm', ['root', '--global']);
    await cp(join(stdout.trim(), 'npm'), join(directory, 'npm'), { recursive: true });
    const installs = await Promise.all(VERSIONS.map(async (version) => [version, await install(version, directory)] as const));
    return { package: Object.fromEntries(installs) as Installed, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function install(version: DovecotVersion, directory: string): Promise<InstalledPackage> {
  const prefix = join(directory, version);
  const home = join(directory, `home-${version}`);
  await mkdir(home);
  const world = await openWorld({ version });
  try {
    const npm = join(directory, 'npm');
    const result = await world.run(
      ['node', `${npm}/bin/npm-cli.js`, 'install', '--global', '--prefix', prefix, join(directory, 'package.tgz')],
      {
        cwd: directory,
        env: await npmEnvironment(home, npm),
      },
    );
    if (result.status !== 0)
      throw new Error(`npm install for Dovecot ${version}: status ${result.status}\n${result.stdout}${result.stderr}`);
    const command = join(prefix, 'bin/acl-groups');
    const installed = join(prefix, 'lib/node_modules/acl-groups');
    const addon = await world.run(['node', '-e', 'require("userid").ids("root")'], { cwd: installed });
    return { command, prefix, directory: installed, addon: addon.status === 0 };
  } finally {
    await world.close();
  }
}

/** This machine's npm settings that a registry behind a proxy or a private authority needs, without its files. */
async function npmEnvironment(home: string, npm: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run('npm', ['config', 'list', '--json'], { maxBuffer: 1 << 24 });
  const settings = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  const env: NodeJS.ProcessEnv = { HOME: home, PATH: `${npm}/bin:${WORLD_PATH}` };
  for (const key of ['registry', 'proxy', 'https-proxy', 'noproxy', 'nodedir']) {
    const value = settings[key];
    if (typeof value === 'string' && value !== '') env[`npm_config_${key.replaceAll('-', '_')}`] = value;
  }
  // Debian's Node.js trusts no authority but the system's, and Debian 13's minimal tree has none.
  const authorities = typeof settings.cafile === 'string' ? settings.cafile : '/etc/ssl/certs/ca-certificates.crt';
  env.npm_config_cafile = join(home, 'authorities.pem');
  await cp(authorities, env.npm_config_cafile);
  return env;
}
