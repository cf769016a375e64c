/** How accounts are looked up. */
export type Source = 'auto' | 'files' | 'userid' | 'getent';

/** Where the account files are; only tests have them elsewhere. */
export interface AccountPaths {
  readonly passwd: string;
  readonly group: string;
}

/** Where all is that says who has which groups. */
export interface SourcePaths extends AccountPaths {
  readonly nsswitch: string;
  /** What the directories of systemd's user database are below; ends with a slash. */
  readonly root: string;
}

/** One group of an account, as an account database has it. */
export interface AccountGroup {
  readonly gid: number;
  /** `undefined` when no database names this id. Bytes that aren't UTF-8 are U+FFFD, whichever database it came from. */
  readonly name: string | undefined;
}

/** A way to ask for the machine's accounts. All of them give the same answer. */
export interface AccountDatabase {
  /**
   * The account's groups as getgrouplist(3) gives them: the primary group first, then in the databases' order, no id twice. A database
   * opened without primary groups has only those that list the account as a member.
   * `undefined` for an account that surely doesn't exist.
   * @throws Error when the database can't answer for sure
   */
  lookup(account: string, signal: AbortSignal): Promise<readonly AccountGroup[] | undefined>;
  /** Ends processes and forgets what was read. */
  close?(): Promise<void>;
}

/** (gid_t)-1, which means "no group" to system calls, and which glibc makes of numbers that are too big for a group id. */
export const NO_GID = 0xffff_ffff;
