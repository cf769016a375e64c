import { type CommandName, parseArguments } from './args.js';
import { AclGroupsError, EXIT, explain } from './support/errors.js';
import { stderrLogger } from './terminal/stderr.js';

/** The commands by name; only the one that runs is loaded. */
const COMMANDS = {
  exec: async () => (await import('./commands/exec.js')).exec,
  lookup: async () => (await import('./commands/lookup.js')).lookup,
  serve: async () => (await import('./commands/serve.js')).serve,
  check: async () => (await import('./commands/check.js')).check,
  status: async () => (await import('./commands/status.js')).status,
  providers: async () => (await import('./commands/providers.js')).providers,
  help: async () => (await import('./commands/help.js')).help,
  version: async () => (await import('./commands/version.js')).version,
} as const;

/** Runs what the command line asks for. Returns the exit status. */
async function main(): Promise<number> {
  // An error that nobody caught: one line of log, where Node.js would write many, or where nobody reads them.
  process.on('uncaughtException', (error) => process.exit(report(error)));
  // Before anything else is loaded: without a handler the signal would end a service that is just starting.
  if (process.argv[2] === 'serve') process.on('SIGHUP', () => {});
  let command: CommandName | undefined;
  try {
    requireNode(process.versions.node);
    const invocation = parseArguments(process.argv.slice(2));
    command = invocation.command;
    const run = await COMMANDS[command]();
    if (command !== 'exec' && command !== 'serve') process.stdout.on('error', (error) => process.exit(unread(error)));
    return await run(invocation);
  } catch (error) {
    const status = report(error);
    // A login must not wait for what a provider has open.
    if (command === 'exec') process.exit(status);
    return status;
  }
}

/**
 * Debian 12's own Node.js is 18. Said here, because what is loaded next may not even compile there.
 * @throws AclGroupsError
 */
function requireNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new AclGroupsError(`${process.execPath} is Node.js ${version}; install Node.js 20.19 or newer`, EXIT.unavailable);
}

/** What becomes of a command whose output can't be written. Who has read enough, such as head(1), wants no error. */
function unread(error: NodeJS.ErrnoException): number {
  return error.code === 'EPIPE' ? EXIT.ok : report(new AclGroupsError(`stdout: ${explain(error)}`, EXIT.temporary, { cause: error }));
}

/** Logs an error. Returns the exit status for it. */
function report(error: unknown): number {
  const known = error instanceof AclGroupsError;
  stderrLogger().error(
    known ? explain(error) : `unexpected error, please report it: ${error instanceof Error ? error.stack : String(error)}`,
  );
  return known ? error.exitStatus : EXIT.temporary;
}

void main().then((status) => {
  process.exitCode = status;
});
