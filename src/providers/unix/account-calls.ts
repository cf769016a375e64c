/** What the `userid` addon and its stand-in do, without blocking. */
export interface AccountCalls {
  /**
   * The ids of an account's groups, the primary one first; `undefined` when it isn't found or the name service failed. Without
   * `includePrimary`, those that list the account as a member; the addon can't tell those.
   */
  gids(account: string, signal: AbortSignal, includePrimary: boolean): Promise<readonly number[] | undefined>;
  /** The names of groups; ids without a name are missing. */
  groupnames(gids: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, string>>;
  close?(): Promise<void>;
}
