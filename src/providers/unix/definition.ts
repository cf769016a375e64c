import { defineProvider, type Group, type ProviderDefinition } from '../provider.js';
import { NO_GID } from './database.js';
import { OPTIONS, type UnixOptions } from './options.js';
import { openSource } from './source.js';

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
