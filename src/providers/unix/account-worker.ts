/**
 * A process that asks the `userid` addon, for account-workers.ts. Its one argument is the addon's path.
 * @module
 */
import { createRequire } from 'node:module';

/** What the workers' keeper asks. */
export type WorkerQuestion = { readonly account: string } | { readonly gids: readonly number[] };

/** What it gets: ids (`null`: not found), or names by id. */
export type WorkerAnswer =
  | { readonly gids: readonly number[] | null }
  | { readonly names: readonly (readonly [number, string])[] }
  | { readonly error: string };

interface Userid {
  gids(account: string): number[];
  groupname(gid: number): string;
}

const [, , path = ''] = process.argv;
const userid: Userid = createRequire(path)(path);

process.on('message', (question: WorkerQuestion) => {
  process.send?.(answer(question));
});

function answer(question: WorkerQuestion): WorkerAnswer {
  if ('account' in question) {
    const gids = attempt(() => userid.gids(question.account), 'getpwnam');
    return gids instanceof Error ? { error: gids.message } : { gids };
  }
  const names: [number, string][] = [];
  for (const gid of question.gids) {
    const name = attempt(() => userid.groupname(gid), 'gid not found');
    if (name instanceof Error) return { error: name.message };
    if (name !== null) names.push([gid, name]);
  }
  return { names };
}

/** `null` for the one message by which the addon says "not found". */
function attempt<Value>(ask: () => Value, notFound: string): Value | null | Error {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error) return error.message === notFound ? null : error;
    throw error;
  }
}
