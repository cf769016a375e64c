/** What the launcher is to do. */
export interface Plan {
  /** 0 to exec; anything else to end with, saying nothing. */
  readonly status: number;
  /** How many of the launcher's words come before the program. */
  readonly optionWords: number;
  /** The path of the program. */
  readonly program: string;
  /** Variables that the launcher unsets. */
  readonly unset: readonly string[];
  /**
   * USERDB_KEYS as the program gets it, but for `acl_groups`, where that isn't what it was; `unchanged` where the program is to get
   * everything as it was, ACL_GROUPS too.
   */
  readonly keys?: Buffer | 'unchanged' | undefined;
  /** What comes behind the value that ACL_GROUPS has: the launcher has its bytes, which need not be UTF-8. */
  readonly addition: string;
  /** What a shell can't do: Perl's path, and all variables (NAME=value) that it gives the program. */
  readonly perl?: { readonly path: string; readonly variables: readonly Buffer[] } | undefined;
}

/**
 * The plan as the launcher reads it: a line that separates, then the fields with that line between them, and a full stop. The separator is
 * one that no field holds, so values may have lines. Behind all of it is a line of the separator and a full stop, by which the launcher knows
 * that nothing is missing: no field holds that either, nor is any other part of the plan its like, such as a field that begins with a full stop.
 * What may be long comes last.
 */
export function formatPlan({ status, optionWords, program, unset, keys, addition, perl }: Plan): Buffer {
  const handover = [...(perl === undefined ? [] : [perl.path, ...perl.variables]), ''];
  const change = keys === undefined ? '' : keys === 'unchanged' ? keys : Buffer.concat([Buffer.from('='), keys]);
  const fields = [String(status), String(optionWords), program, unset.join(' '), change, ...handover, addition].map((field) =>
    Buffer.from(field),
  );
  let separator = '-';
  // With the ends that it will have: what ends in a line break and a separator would end sooner.
  while (fields.some((field) => [`\n${separator}\n`, `\n${separator}.`].some((mark) => `\n${field.toString('latin1')}\n`.includes(mark))))
    separator += '-';
  const line = Buffer.from(`\n${separator}\n`);
  return Buffer.concat([line.subarray(1), ...fields.flatMap((field) => [field, line]), Buffer.from(`.\n${separator}.`)]);
}
