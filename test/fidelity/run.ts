import { parseArgs } from 'node:util';
import { VERSIONS } from '../support/dovecot.js';
import {
  type Fidelity,
  formatReport,
  generateNames,
  MODES,
  measureAclGroups,
  measureShellExample,
  SHELL_EXAMPLE,
} from '../support/fidelity.js';
import { installPackage } from '../support/installed.js';
import { startProgress } from '../support/progress.js';

const HELP = `Usage: npm run fidelity -- [--names count] [--per-login count] [--seed number] [--shell]

Logs users in on real Dovecots, 2.3 and 2.4, with generated group names, by exec mode, the post-login service (serve)
and the userdb door, and compares what Dovecot says it added.
Needs root and the Debian packages of the tests.

  --names count      how many different names (default: 10000)
  --per-login count  how many of them one user has, as far as a userdb reply has room (default: 100)
  --seed number      for the same names again (default: another one each time)
  --shell            the same names through the shell example of Dovecot's documentation as well, one to a login
`;

/** Exit status 1 when a name didn't arrive as it is, or a login failed. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      names: { type: 'string', default: '10000' },
      'per-login': { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      shell: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [count, perLogin, seed] = [positive('names', values.names), positive('per-login', values['per-login']), Number(values.seed)];
  const names = generateNames(count, seed);
  const installed = await installPackage();
  const results: Fidelity[] = [];
  const measure = async (title: string, run: (progress: (names: number) => void) => Promise<Fidelity>): Promise<void> => {
    const bar = startProgress(title, 100);
    let done = 0;
    const progress = (more: number): void => {
      const before = Math.floor((done / count) * 100);
      done += more;
      for (let percent = before; percent < Math.floor((done / count) * 100); percent++) bar.step();
    };
    try {
      results.push(await run(progress));
    } finally {
      bar.end();
    }
  };
  try {
    for (const version of VERSIONS) {
      const { command } = installed.package[version];
      for (const mode of MODES)
        await measure(`Dovecot ${version}, by ${mode}`, (progress) =>
          measureAclGroups({ version, names, mode, perLogin, command, progress }),
        );
      if (values.shell) await measure(`Dovecot ${version}, shell example`, (progress) => measureShellExample({ version, names, progress }));
    }
  } finally {
    await installed.remove();
  }
  process.stdout.write(`${count} names, seed ${seed}\n${formatReport(results, count)}`);
  const wrong = results.filter(
    ({ way, lost, invented, failedLogins }) => way !== SHELL_EXAMPLE && lost.length + invented.length + failedLogins > 0,
  );
  for (const { version, lost } of wrong) {
    for (const { name, added } of lost.slice(0, 10))
      process.stdout.write(`${version}: ${JSON.stringify(name)} became ${JSON.stringify(added)}\n`);
  }
  return wrong.length === 0 ? 0 : 1;
}

function positive(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${option}: expected a number of at least 1, found "${text}"`);
  return Number(text);
}

process.exit(await main());
