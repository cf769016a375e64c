import { parseArguments } from './args.js';
import { AclGroupsError, EXIT, explain } from './support/errors.js';
import { stderrLogger } from './support/log.js';

/** The commands by name; only the one that runs is loaded. */
const COMMANDS = {
  exec: async () => (await import('./commands/exec.js')).exec,
  lookup: async () => (await import('./commands/lookup.js')).lookup,
  serve: async () => (await import('./commands/serve.js')).serve,
  providers: async () => (await import('./commands/providers.js')).providers,
  help: async () => (await import('./commands/help.js')).help,
  version: async () => (await import('./commands/help.js')).version,
} as const;

/** Runs what the command line asks for. Returns the exit status. */
export async function main(): Promise<number> {
  // What a provider of somebody else's lets slip: one line of log, where Node.js would write many, or where nobody reads them.
  process.on('uncaughtException', (error) => process.exit(report(error)));
  try {
    const invocation = parseArguments(process.argv.slice(2));
    const run = await COMMANDS[invocation.command]();
    if (invocation.command !== 'exec' && invocation.command !== 'serve') process.stdout.on('error', (error) => process.exit(unread(error)));
    return await run(invocation);
  } catch (error) {
    return report(error);
  }
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

/** Goes through exec mode for nobody, when the package is installed. */
export async function rehearse(): Promise<void> {
  await (await import('./commands/exec.js')).rehearse();
}
