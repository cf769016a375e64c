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
