import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LineClient } from './imap.js';
import type { DovecotVersion, World } from './world.js';

/** A public namespace for dovecot.conf, whose mailboxes are below `directory`. Settings may be added. */
export function publicNamespace(version: DovecotVersion, name: string, directory: string, more = ''): string {
  const place =
    version === '2.3'
      ? `location = maildir:${directory}:INDEXPVT=~/${name}`
      : `mail_driver = maildir\n  mail_path = ${directory}\n  mail_index_private_path = ~/${name}`;
  return `
namespace ${name} {
  type = public
  prefix = ${name[0]?.toUpperCase()}${name.slice(1)}/
  separator = /
  ${place}
  subscriptions = no
  list = children
  ${more}
}
`;
}

/** Makes a mailbox that everybody may read and write as far as the file system goes, with the rights that `acl` gives. */
export async function makeMailbox(world: World, directory: string, name: string, acl: string): Promise<void> {
  const box = join(directory, `.${name}`);
  await Promise.all(['cur', 'new', 'tmp'].map((part) => mkdir(join(box, part), { recursive: true })));
  await writeFile(join(box, 'dovecot-acl'), acl);
  await world.run(['chmod', '-R', 'a+rwX', directory]);
  await chmod(directory, 0o777);
}

/** What a user sees below a namespace's prefix. */
export async function listMailboxes(
  dovecot: { imap(user: string): Promise<LineClient> },
  user: string,
  prefix: string,
): Promise<readonly string[]> {
  const client = await dovecot.imap(user);
  const { untagged } = await client.command(`LIST "" "${prefix}/*"`);
  await client.command('LOGOUT');
  return untagged.flatMap((line) => /^\* LIST .* "?([^ "]+)"?$/.exec(line)?.[1] ?? []).sort();
}
