/** What the `userid` addon and its stand-in do, without blocking. */
export interface AccountCalls {
  /** The ids of an account's groups, the primary one first; `undefined` when it isn't found or the name service failed. */
  gids(account: string, signal: AbortSignal): Promise<readonly number[] | undefined>;
  /** The names of groups; ids without a name are left out. */
  groupnames(gids: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, string>>;
  close?(): Promise<void>;
}
