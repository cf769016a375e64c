import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { countByName, createCounters } from '../../src/service/counters.js';
import { createService } from '../../src/service/service.js';
import { createLogger } from '../../src/support/log.js';
import { runCommand, testDirectory } from '../support/command.js';

const directory = testDirectory();

it.each([
  [[], []],
  [['unix'], ['unix 1']],
  [
    ['unix', 'ldap'],
    ['unix 1', 'ldap 1'],
  ],
])('shows as a list in JSON what is one, however many it holds: %j', async (providers, providerErrors) => {
  const counters = createCounters();
  for (const name of providers) countByName(counters.providerErrors, name);
  const running = createService(
    createLogger(() => {}),
    counters,
    () => {},
  );
  running.use({
    answer: () => ({ verdict: 'unknown', text: '' }),
    forget: () => {},
    status: () => ({ configuration: '7', providers, cachedUsers: 0, cacheBytes: 0, lookupsRunning: 0, lookupsWaiting: 0 }),
    close: async () => {},
  });
  const path = join(directory.path, `socket${providers.length}`);
  const server = running.createServer().listen(path);
  await once(server, 'listening');
  onTestFinished(() => running.drain(0));
  const { status, stdout } = await runCommand('status', '--json', '--socket', path);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ logins: 0, providers, providerErrors, doors: [] });

  const people = await runCommand('status', '--socket', path);
  expect(people.stdout.replace(/version +\S+/, 'version').replace(/(pid|uptime|memory)( +)[\d.]+/g, '$1$2N')).toBe(`  version
  pid                  N
  uptime               N s
  logins               0
  denied               0
  unknown users        0
  cache hits           0
  stale answers        0
  lookups              0
  slowest lookup       0 ms
  refused connections  0
  doors                none
  provider errors      ${providerErrors.join(', ') || 'none'}
  connections          1
  logins in hand       0
  memory               N MiB
  configuration        7
  providers            ${providers.join(', ') || 'none'}
  cached users         0
  cache                0.0 MiB
  lookups running      0
  lookups waiting      0
`);
});
