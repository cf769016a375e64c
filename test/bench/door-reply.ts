import { BerWriter } from 'ldapts';
import { OPERATION } from '../../src/doors/userdb/message.js';
import { entryOperation, message, result } from '../../src/doors/userdb/response.js';
import { alternate, inBatches } from './measure.js';
import { type Table, tabulate } from './report.js';
import { groupsOf, USERS } from './servers.js';

const JOINED = 'texts joined';
const WRITER = "ldapts' BerWriter";

const DN = 'uid=user17,dc=acl-groups';
const VALUE = groupsOf(USERS[17] ?? '').join(',');

/** What the door's way to write the reply to a search saves: response.ts tells why it is not the library's. */
export async function doorReply(short: boolean): Promise<Table> {
  let id = 0;
  const ways: Readonly<Record<string, () => Buffer>> = { [JOINED]: () => joined(++id), [WRITER]: () => written(++id) };
  const [one, other] = [joined(300), written(300)];
  if (!one.equals(other)) throw new Error(`not the same reply: ${one.toString('hex')} and ${other.toString('hex')}`);
  const measured = await alternate(
    Object.entries(ways).map(([name, write]) => ({ name, round: () => inBatches(10, short ? 100 : 2000, write) })),
    { rounds: short ? 1 : 40, warmUp: 5 },
  );
  return tabulate("door: the bytes of a search's reply", measured, {
    rival: WRITER,
    note: 'an entry with five groups and the result; in one process, without a socket',
    expectations: [{ contestant: JOINED, rival: WRITER, figure: 'p50', expected: { atMost: 0.5 } }],
  });
}

function joined(id: number): Buffer {
  const entry = entryOperation({ dn: DN, attributes: { aclGroups: [VALUE] } });
  // Encoding is part of it: a socket does that when it is written to.
  return Buffer.from(message(id, entry) + message(id, result(OPERATION.searchResultDone, 0)), 'latin1');
}

function written(id: number): Buffer {
  const writer = new BerWriter();
  const within = (tag: number, write: () => void): void => {
    writer.startSequence(tag);
    write();
    writer.endSequence();
  };
  within(0x30, () => {
    writer.writeInt(id);
    within(OPERATION.searchResultEntry, () => {
      writer.writeString(DN);
      within(0x30, () =>
        within(0x30, () => {
          writer.writeString('aclGroups');
          within(0x31, () => writer.writeString(VALUE));
        }),
      );
    });
  });
  within(0x30, () => {
    writer.writeInt(id);
    within(OPERATION.searchResultDone, () => {
      writer.writeEnumeration(0);
      writer.writeString('');
      writer.writeString('');
    });
  });
  return writer.buffer;
}
