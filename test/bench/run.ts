import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startProgress } from '../support/progress.js';
import { type BenchContext, type Benchmark, NotPossible } from './benchmark.js';
import { publish } from './figures.js';
import { installTarball } from './install.js';
import { describeMachine, render, type Table, writeJson } from './report.js';

/** All benchmarks. What isn't asked for isn't loaded. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = Object.freeze({
  login: async () => (await import('./login.js')).login,
  exec: async () => (await import('./exec.js')).exec,
  start: async () => (await import('./start.js')).start,
  groups: async () => (await import('./groups.js')).groups,
  door: async () => (await import('./door.js')).door,
  service: async () => (await import('./service.js')).service,
  ldap: async () => (await import('./ldap.js')).ldap,
  scale: async () => (await import('./scale.js')).scale,
  morning: async () => (await import('./morning.js')).morning,
  cost: async () => (await import('./cost.js')).cost,
});

const HELP = `Usage: npm run bench -- [--short] [--json directory] [--manual] [name...]

Measures acl-groups and its rivals in turn, in one run. Names: ${Object.keys(BENCHMARKS).join(', ')};
all of them if none is given.

  --short           a smoke test: few rounds, whose figures mean nothing
  --json directory  where results go as JSON, and the chart (default: .cache/bench)
  --manual          puts tables and chart into the manual, in the places of scale, morning and cost
`;

/** Runs the benchmarks that the command line names; exit status 1 when one of them fails to run. A missed expectation is a result. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: 'boolean', default: false },
      json: { type: 'string', default: '.cache/bench' },
      manual: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
  const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined) throw new Error(`no benchmark "${unknown}"; there are ${Object.keys(BENCHMARKS).join(', ')}`);

  const scratch = mkdtempSync(join(tmpdir(), 'acl-groups-bench-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  let command: Promise<string> | undefined;
  const output = resolve(values.json);
  mkdirSync(output, { recursive: true });
  const context: BenchContext = {
    short: values.short,
    scratch,
    output,
    installed: () => {
      command ??= installTarball(scratch);
      return command;
    },
    progress: startProgress,
  };

  let status = 0;
  for (const name of names) {
    const machine = describeMachine();
    try {
      const benchmark = await BENCHMARKS[name]?.();
      const tables: Table[] = [];
      let file = '';
      for await (const table of benchmark?.(context) ?? []) {
        process.stdout.write(`${render(table)}\n`);
        tables.push(table);
        file = writeJson(output, name, { short: values.short, machine, tables });
      }
      process.stdout.write(`  written to ${file}\n\n`);
      if (values.manual) publish('src/package/manual', output, { name, date: new Date(), machine, tables });
    } catch (error) {
      // In CI nothing may be left out; elsewhere what needs root or a server that isn't installed is named and passed over.
      if (error instanceof NotPossible && process.env.CI !== 'true') {
        process.stdout.write(`${name}: left out: ${error.message}\n\n`);
        continue;
      }
      process.stderr.write(`${name}: ${error instanceof Error ? error.stack : error}\n`);
      status = 1;
    }
  }
  return status;
}

process.exit(await main());
