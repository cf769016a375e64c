import { type OptionTable, option } from '../../config/options.js';
import { flag, integer, oneOf } from '../../config/schema.js';
import { NO_GID, type Source } from './database.js';

/** The keys of `[provider.unix]`. */
export interface UnixOptions {
  readonly source: Source;
  /** Whether the primary group counts; where it lists the account as a member, it does in any case. */
  readonly include_primary: boolean;
  /** A group id; groups below it are skipped. */
  readonly min_gid: number;
}

export const OPTIONS: OptionTable<UnixOptions> = {
  source: option(
    oneOf(['auto', 'files', 'userid', 'getent'], 'auto'),
    'how accounts are looked up: in /etc/passwd and /etc/group, by the userid addon, or by getent; "auto" takes the quickest that is sure to be right',
  ),
  include_primary: option(flag(true), "whether the account's primary group counts where no member list has the account"),
  min_gid: option(integer(0, 0, NO_GID - 1), 'the least group id that counts; 1000 skips the groups of the system'),
};
