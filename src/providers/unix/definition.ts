import { type OptionTable, option } from '../../config/options.js';
import { flag, integer, oneOf } from '../../config/schema.js';
import { defineProvider, type Group, type ProviderDefinition } from '../provider.js';
import { NO_GID } from './database.js';
import { openSource, type Source } from './source.js';

/** The keys of `[provider.unix]`. */
export interface UnixOptions {
  readonly source: Source;
  readonly include_primary: boolean;
  /** A group id; groups below it are left out. */
  readonly min_gid: number;
}

const OPTIONS: OptionTable<UnixOptions> = {
  source: option(
    oneOf(['auto', 'files', 'userid', 'getent'], 'auto'),
    'how accounts are looked up: in /etc/passwd and /etc/group, by the userid addon, or by getent; "auto" takes the quickest that is sure to be right',
  ),
  include_primary: option(flag(true), "whether the account's primary group counts"),
  min_gid: option(integer(0, 0, NO_GID - 1), 'the least group id that counts; 1000 leaves out the groups of the system'),
};

const unix: ProviderDefinition<UnixOptions> = defineProvider({
  name: 'unix',
  description: "the machine's own accounts, whatever nsswitch.conf takes them from",
  options: OPTIONS,
  create({ source, include_primary, min_gid }, context) {
    const database = openSource(source, context);
    return {
      async groups({ account }, signal) {
        signal.throwIfAborted();
        const found = await database.lookup(account, signal);
        const groups = include_primary ? found : found?.slice(1);
        return groups?.filter(({ gid }) => gid >= min_gid && gid !== NO_GID).map(toGroup);
      },
      close: async () => database.close?.(),
    };
  },
});
export default unix;

function toGroup({ gid, name }: { readonly gid: number; readonly name: string | undefined }): Group {
  if (name === undefined) return { name: String(gid), gid, skip: 'no group has this id' };
  // What decoding leaves of bytes that aren't UTF-8; to Dovecot it would be another name.
  if (name.includes('\ufffd')) return { name, gid, skip: 'its name is not valid UTF-8' };
  return { name, gid };
}
