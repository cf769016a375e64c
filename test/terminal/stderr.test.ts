import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { beforeAll, expect, it } from 'vitest';
import { testDirectory } from '../support/command.js';
import { PROJECT } from '../support/project.js';

const directory = testDirectory();
const program = join(directory.path, 'program.cjs');
beforeAll(async () => {
  const source = `import { stderrLogger } from '${PROJECT}/src/terminal/stderr.ts';
const log = stderrLogger({ debug: true });
log.error('one'); log.warning('two\\nlines'); log.info('three'); log.debug('four');`;
  const file = directory.write('program.ts', source);
  await build({ input: file, platform: 'node', cwd: PROJECT, logLevel: 'silent', output: { file: program, format: 'cjs' } });
});

/** What is logged to a file, which JOURNAL_STREAM names or not. */
function logged(environment: (stream: string) => NodeJS.ProcessEnv): string {
  const log = join(directory.path, 'log');
  const descriptor = openSync(log, 'w');
  const { dev, ino } = fstatSync(descriptor);
  spawnSync(process.execPath, [program], { env: environment(`${dev}:${ino}`), stdio: ['ignore', 'ignore', descriptor] });
  closeSync(descriptor);
  return readFileSync(log, 'utf8');
}

it("gives each line systemd's level where stderr is the stream to the journal", () => {
  expect(logged((stream) => ({ JOURNAL_STREAM: stream }))).toBe('<3>one\n<4>two\\u{a}lines\n<6>three\n<7>four\n');
});

it.each([
  ['is another stream', '1:1'],
  ['is nonsense', 'x'],
])('writes the level as a word where JOURNAL_STREAM %s', (_what, stream) => {
  const lines = 'acl-groups: error: one\nacl-groups: warning: two\\u{a}lines\nacl-groups: info: three\nacl-groups: debug: four\n';
  expect(logged(() => ({ JOURNAL_STREAM: stream }))).toBe(lines);
});

it("prefers Dovecot's format for its log process", () => {
  const text = logged((stream) => ({ JOURNAL_STREAM: stream, LOG_SERVICE: '1' }));
  expect(text.replaceAll(/\d+ /g, 'PID ')).toBe(
    '\u0001\u0004PID one\n\u0001\u0003PID two\\u{a}lines\n\u0001\u0002PID three\n\u0001\u0001PID four\n',
  );
});
