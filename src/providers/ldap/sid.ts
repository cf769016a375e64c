/** A security identifier in the form that people know, `S-1-5-21-…` (MS-DTYP 2.4.2): for messages only. */
export function formatSid(sid: Buffer): string {
  if (sid.length < 8 || sid.length !== 8 + 4 * sid.readUInt8(1)) return `SID 0x${sid.toString('hex')}`;
  const parts = [sid.readUInt8(0), sid.readUIntBE(2, 6)];
  for (let at = 8; at < sid.length; at += 4) parts.push(sid.readUInt32LE(at));
  return `S-${parts.join('-')}`;
}

/** The SID of another object of the same domain: the last part is the object's number in it. */
export function siblingSid(sid: Buffer, relativeId: number): Buffer {
  const sibling = Buffer.from(sid);
  sibling.writeUInt32LE(relativeId, sibling.length - 4);
  return sibling;
}
