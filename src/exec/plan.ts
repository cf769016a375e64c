/** The longest environment string that Linux takes, name and final NUL included (MAX_ARG_STRLEN, execve(2)). */
const LONGEST_STRING = 131_072;

/** The longest value of ACL_GROUPS, in bytes. */
export const LONGEST_VALUE: number = LONGEST_STRING - 'ACL_GROUPS='.length - 1;

/** What the launcher is to do. */
export interface Plan {
  /** 0 to exec; anything else to end with, saying nothing. */
  readonly status: number;
  /** How many of the launcher's words come before the program. */
  readonly optionWords: number;
  /** Variables that the shell added. */
  readonly unset: readonly string[];
  /** What comes behind the value that ACL_GROUPS has: the launcher has its bytes, which need not be UTF-8. */
  readonly addition: string;
  /** Words to exec the program through. */
  readonly prefix: readonly Buffer[];
}

/**
 * The plan as the launcher reads it: a line that separates, then the fields with that line between them, and a full stop, by which the
 * launcher knows that nothing is missing. The separator is one that no field holds, so values may have lines.
 */
export function formatPlan({ status, optionWords, unset, addition, prefix }: Plan): Buffer {
  // The launcher puts each word in front of the ones before.
  const fields = [String(status), String(optionWords), unset.join(' '), addition, ...prefix.toReversed()].map((field) =>
    Buffer.from(field),
  );
  let separator = '-';
  while (fields.some((field) => field.includes(`\n${separator}\n`))) separator += '-';
  const line = Buffer.from(`\n${separator}\n`);
  return Buffer.concat([line.subarray(1), ...fields.flatMap((field) => [field, line]), Buffer.from('.')]);
}

/** An environment by variable. Names and values are bytes, one character each: they need not be UTF-8. */
export type Environment = ReadonlyMap<string, string>;

/** Reads the environment of a process as /proc/PID/environ has it: what it was started with. */
export function parseEnvironment(bytes: string): Environment {
  const variables = new Map<string, string>();
  for (const variable of bytes.split('\0')) {
    const equals = variable.indexOf('=', 1);
    if (equals < 0) continue;
    const name = variable.slice(0, equals);
    // getenv(3) finds the first one of a name.
    if (!variables.has(name)) variables.set(name, variable.slice(equals + 1));
  }
  return variables;
}

/** What the launcher itself sets or takes away for Node.js alone, and what the plan sets. SHLVL: a shell that counts it up counts it down at exec. */
const OWN = /^(?:NODE_.*|MALLOC_ARENA_MAX|UV_THREADPOOL_SIZE|ACL_GROUPS_LOG_DESCRIPTOR|ACL_GROUPS|USERDB_KEYS|SHLVL|_)$/;

/**
 * What a shell did to its environment, and how it is undone. dash and busybox drop variables whose names they couldn't assign to, such as
 * the userdb's NAMESPACE/INBOX/PREFIX; every shell has some that it sets itself, whatever they were.
 */
export function repairEnvironment(
  original: Environment,
  now: NodeJS.ProcessEnv,
): { readonly unset: string[]; readonly assignments: Buffer[] } {
  const known = new Map(Object.entries(now).map(([name, value = '']) => [bytesOf(name), value]));
  const unset = [...known.keys()].filter((name) => /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !OWN.test(name) && !original.has(name));
  const assignments = [...original]
    .filter(([name, value]) => !OWN.test(name) && known.get(name) !== textOf(value))
    .map(([name, value]) => Buffer.from(`${name}=${value}`, 'latin1'));
  return { unset, assignments };
}

/** A text's UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
}

function textOf(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString();
}

const ASCII = /^[\0-\x7f]*$/;
