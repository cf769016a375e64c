import { random32 } from '../support/random.js';

/** What is kept of a key. */
export interface Stored {
  readonly value: string;
  readonly since: number;
  readonly freshUntil: number;
}

/** Values by key, in a bounded amount of memory. Keys are any texts; values have one byte a character (latin1). */
export interface Store {
  get(key: string): Stored | undefined;
  /** Keeps a value in place of what the key had; one that is larger than all of the memory isn't kept. */
  set(key: string, stored: Stored): void;
  /** Changes when a kept value ends being fresh. */
  renew(key: string, freshUntil: number): void;
  /** How many keys have a value. */
  readonly size: number;
  /** The memory in use, in bytes; `maxSize` at most. */
  readonly bytes: number;
}

/*
 * Keys and values lie in blocks of memory outside of V8's heap, as records one behind the other, and a table of buckets finds them. In V8's
 * heap, in a map and lists (lru-cache), `max_size = "64M"` had room for 132,500 answers of 5 to 20 groups, and the process grew by 1.66 times
 * as much: a map whose keys come and go has up to four places for each, and the heap keeps a third or more above what is in use, because each
 * collection has to visit every answer (up to 72 ms without an answer to anybody). Here there is room for 247,900 of them, the process grows
 * by 0.97 times as much, and a collection sees the blocks alone.
 *
 * A full store empties its oldest block, and passes over what was read since that block was filled (CLOCK, or second chance): that moves to
 * the block's start, and the rest is filled anew.
 */

/** A record's head: four words, then two times as doubles. The key's bytes follow, then the value's. */
const HEAD = 32;
/** The next record of the same bucket, as a position; 0 where there is none. */
const NEXT = 0;
const HASH = 4;
/** In bytes, with WIDE beside it. */
const KEY_LENGTH = 8;
/** In bytes, with READ beside it. */
const VALUE_LENGTH = 12;
const SINCE = 16;
const FRESH_UNTIL = 24;
/** The key has characters beyond latin1, and takes two bytes for each. */
const WIDE = 0x8000_0000;
/** The record was read since its block was filled. */
const READ = 0x8000_0000;
const LENGTH = 0x7fff_ffff;

/** Records begin at multiples of this, in bytes, and positions count in it: 32 bits of them reach over the largest `max_size`. */
const UNIT = 8;
const LARGEST_BLOCK = 1024 * 1024;
const SMALLEST_BLOCK = 256;
/** There is a bucket, of four bytes, for so many bytes of the store: about what an answer takes. */
const BYTES_PER_BUCKET = 256;
/** How many blocks may be passed over to make room for one record, where nearly all that they hold was read. After that, the oldest goes. */
const MOST_PASSES = 4;

interface Block {
  /** Which part of all positions it has. */
  readonly slot: number;
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly times: Float64Array;
  /** How far it is filled, in bytes. */
  used: number;
}

/** Where a record is: the block, and the byte in it. */
interface Place {
  readonly block: Block;
  readonly offset: number;
}

/** An empty store that takes so many bytes at most. */
export function createStore(maxSize: number): Store {
  const blockLength = Math.min(Math.max(powerOfTwo(maxSize / 32), SMALLEST_BLOCK), LARGEST_BLOCK);
  const unitsPerBlock = blockLength / UNIT;
  const slotShift = Math.log2(unitsPerBlock);
  // The system gives memory when it is written to: buckets that were never used take none.
  const buckets = new Uint32Array(powerOfTwo(maxSize / BYTES_PER_BUCKET));
  const seed = random32();
  const blocks: (Block | undefined)[] = [];
  /** From the oldest to the one that is being filled. */
  let order: Block[] = [];
  let allocated = buckets.byteLength;
  let size = 0;

  const bucketOf = (hash: number): number => hash & (buckets.length - 1);
  /** Never 0. */
  const positionOf = ({ block, offset }: Place): number => block.slot * unitsPerBlock + offset / UNIT + 1;

  function placeOf(position: number): Place {
    const block = blocks[(position - 1) >>> slotShift];
    if (block === undefined) throw new Error('a record of the cache is in no block');
    return { block, offset: ((position - 1) & (unitsPerBlock - 1)) * UNIT };
  }

  function find(key: string, hash: number): Place | undefined {
    for (let position = buckets[bucketOf(hash)] ?? 0; position !== 0; ) {
      const place = placeOf(position);
      if (word(place, HASH) === hash && hasKey(place, key)) return place;
      position = word(place, NEXT);
    }
    return undefined;
  }

  function link(place: Place): void {
    const bucket = bucketOf(word(place, HASH));
    setWord(place, NEXT, buckets[bucket] ?? 0);
    buckets[bucket] = positionOf(place);
    size++;
  }

  /** Takes a record out of its bucket. Returns whether it was in there: one that was replaced is not. */
  function unlink(place: Place): boolean {
    const wanted = positionOf(place);
    const bucket = bucketOf(word(place, HASH));
    let before: Place | undefined;
    for (let position = buckets[bucket] ?? 0; position !== 0; position = word(before, NEXT)) {
      if (position !== wanted) {
        before = placeOf(position);
        continue;
      }
      const next = word(place, NEXT);
      if (before === undefined) buckets[bucket] = next;
      else setWord(before, NEXT, next);
      size--;
      return true;
    }
    return false;
  }

  /** Empties the oldest block, except for what was read if that is to be spared, and makes it the newest. */
  function emptyOldest(spare: boolean): Block | undefined {
    const block = order.shift();
    if (block === undefined) return undefined;
    let kept = 0;
    let length = 0;
    for (let offset = 0; offset < block.used; offset += length) {
      const place = { block, offset };
      length = recordLength(place);
      if (!unlink(place) || !spare || (word(place, VALUE_LENGTH) & READ) === 0) continue;
      block.bytes.copyWithin(kept, offset, offset + length);
      const moved = { block, offset: kept };
      setWord(moved, VALUE_LENGTH, word(moved, VALUE_LENGTH) & LENGTH);
      link(moved);
      kept += length;
    }
    block.used = kept;
    order.push(block);
    return block;
  }

  function free(block: Block): void {
    order = order.filter((other) => other !== block);
    blocks[block.slot] = undefined;
    allocated -= block.bytes.length;
  }

  function allocate(length: number): Block {
    const unused = blocks.indexOf(undefined);
    const bytes = Buffer.allocUnsafeSlow(length);
    const block: Block = {
      slot: unused < 0 ? blocks.length : unused,
      bytes,
      words: new Uint32Array(bytes.buffer),
      times: new Float64Array(bytes.buffer),
      used: 0,
    };
    blocks[block.slot] = block;
    order.push(block);
    allocated += length;
    return block;
  }

  /** A block with room for so many bytes; `undefined` where they are more than the store may take. */
  function roomFor(length: number): Block | undefined {
    const newest = order.at(-1);
    if (newest !== undefined && newest.used + length <= newest.bytes.length) return newest;
    // A record that is longer than a block has one of its own.
    const wanted = Math.max(length, blockLength);
    if (buckets.byteLength + wanted > maxSize) return undefined;
    for (let passes = 0; allocated + wanted > maxSize; passes++) {
      const block = emptyOldest(passes < MOST_PASSES);
      if (block === undefined) return undefined;
      if (block.bytes.length === blockLength && block.used + length <= blockLength) return block;
      if (block.used === 0) free(block);
    }
    return allocate(wanted);
  }

  function add(key: string, hash: number, valueLength: number): Place | undefined {
    const length = lengthOf(key, valueLength);
    const block = roomFor(length);
    if (block === undefined) return undefined;
    const place = { block, offset: block.used };
    block.used += length;
    setWord(place, HASH, hash);
    setWord(place, VALUE_LENGTH, valueLength);
    writeKey(place, key);
    link(place);
    return place;
  }

  return {
    get(key) {
      const place = find(key, hashOf(key, seed));
      if (place === undefined) return undefined;
      const length = word(place, VALUE_LENGTH) & LENGTH;
      setWord(place, VALUE_LENGTH, length | READ);
      const start = place.offset + HEAD + (word(place, KEY_LENGTH) & LENGTH);
      return {
        value: place.block.bytes.toString('latin1', start, start + length),
        since: time(place, SINCE),
        freshUntil: time(place, FRESH_UNTIL),
      };
    },
    set(key, { value, since, freshUntil }) {
      const hash = hashOf(key, seed);
      let place = find(key, hash);
      if (place !== undefined && recordLength(place) !== lengthOf(key, value.length)) {
        unlink(place);
        place = undefined;
      }
      place ??= add(key, hash, value.length);
      if (place === undefined) return;
      setWord(place, VALUE_LENGTH, value.length | (word(place, VALUE_LENGTH) & READ));
      setTime(place, SINCE, since);
      setTime(place, FRESH_UNTIL, freshUntil);
      place.block.bytes.write(value, place.offset + HEAD + (word(place, KEY_LENGTH) & LENGTH), 'latin1');
    },
    renew(key, freshUntil) {
      const place = find(key, hashOf(key, seed));
      if (place !== undefined) setTime(place, FRESH_UNTIL, freshUntil);
    },
    get size() {
      return size;
    },
    get bytes() {
      return order.reduce((sum, { used }) => sum + used, order.length === 0 ? 0 : buckets.byteLength);
    },
  };
}

const word = ({ block, offset }: Place, field: number): number => block.words[(offset + field) / 4] ?? 0;
const time = ({ block, offset }: Place, field: number): number => block.times[(offset + field) / 8] ?? 0;

function setWord({ block, offset }: Place, field: number, value: number): void {
  block.words[(offset + field) / 4] = value;
}

function setTime({ block, offset }: Place, field: number, value: number): void {
  block.times[(offset + field) / 8] = value;
}

const padded = (bytes: number): number => Math.ceil(bytes / UNIT) * UNIT;
const isWide = (key: string): boolean => /[^\0-\xff]/.test(key);

/** What a record takes. */
function lengthOf(key: string, valueLength: number): number {
  return padded(HEAD + (isWide(key) ? 2 * key.length : key.length) + valueLength);
}

function recordLength(place: Place): number {
  return padded(HEAD + (word(place, KEY_LENGTH) & LENGTH) + (word(place, VALUE_LENGTH) & LENGTH));
}

function writeKey(place: Place, key: string): void {
  const { bytes } = place.block;
  const start = place.offset + HEAD;
  if (isWide(key)) setWord(place, KEY_LENGTH, bytes.write(key, start, 'ucs2') | WIDE);
  else setWord(place, KEY_LENGTH, bytes.write(key, start, 'latin1'));
}

/** By characters: a text made of a record's key would be garbage of each request. */
function hasKey(place: Place, key: string): boolean {
  const { bytes } = place.block;
  const start = place.offset + HEAD;
  const length = word(place, KEY_LENGTH);
  if ((length & WIDE) !== 0) return (length & LENGTH) === 2 * key.length && bytes.toString('ucs2', start, start + 2 * key.length) === key;
  if (length !== key.length) return false;
  for (let index = 0; index < length; index++) if (bytes[start + index] !== key.charCodeAt(index)) return false;
  return true;
}

/** FNV-1a over characters, and the last step of MurmurHash3, as buckets are chosen by the lowest bits. */
function hashOf(key: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The largest power of two that isn't larger; 1 at least. */
function powerOfTwo(most: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, most)));
}
