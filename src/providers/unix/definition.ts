import { ConfigError } from '../../support/errors.js';
import { defineProvider, type Group, type ProviderDefinition } from '../provider.js';
import { type AccountGroup, NO_GID } from './database.js';
import { OPTIONS, type UnixOptions } from './options.js';
import { openSource } from './source.js';

const unix: ProviderDefinition<UnixOptions> = defineProvider({
  name: 'unix',
  description: "the machine's own accounts, whatever nsswitch.conf takes them from",
  options: OPTIONS,
  create({ source, include_primary, min_gid }, context) {
    if (source === 'userid' && !include_primary) {
      throw new ConfigError(
        '[provider.unix]: include_primary = false needs to know whether an account is listed as a member of its primary group, which source = "userid" can\'t tell; set source = "auto"',
      );
    }
    const database = openSource(source, context, include_primary);
    return {
      async groups({ account }, signal) {
        signal.throwIfAborted();
        const found = await database.lookup(account, signal);
        return found?.map((group) => toGroup(group, min_gid));
      },
      check: (signal) => database.check(signal),
      groupNames: async (asked, signal) => (await import('./group-names.js')).groupNames(source, asked, min_gid, signal),
      close: async () => database.close?.(),
    };
  },
});
export default unix;

function toGroup({ gid, name }: AccountGroup, least: number): Group {
  if (gid < least) return { name: name ?? String(gid), gid, skip: `its id is below min_gid = ${least}`, wanted: true };
  if (gid === NO_GID) return { name: name ?? String(gid), gid, skip: 'its id stands for "no group", or is too great for one' };
  if (name === undefined) return { name: String(gid), gid, skip: 'no group has this id' };
  // What decoding leaves of bytes that aren't UTF-8; to Dovecot it would be another name.
  if (name.includes('\ufffd')) return { name, gid, skip: 'its name is not valid UTF-8' };
  return { name, gid };
}
