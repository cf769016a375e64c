/**
 * A block of what doveconf prints: the settings in it and the blocks in it, in their order. The whole output is one without a name.
 *
 * Both versions print lines of `name = value`, `name label {` and `}`. 2.4 folds settings with a common start into a block of that
 * name (`userdb_ldap { filter = … }` for `userdb_ldap_filter`), and writes a list of names as a block of `name = yes` or as one value.
 */
export interface Block {
  readonly name: string;
  readonly label: string;
  /** Values as they are printed, quotes included. */
  readonly values: ReadonlyMap<string, string>;
  readonly blocks: readonly Block[];
}

interface Building extends Block {
  readonly values: Map<string, string>;
  readonly blocks: Building[];
}

/** What doveconf printed, as blocks. Lines of other forms, comments above all, are skipped. */
export function parseDoveconf(text: string): Block {
  const root = building('', '');
  const open: Building[] = [root];
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const block = open.at(-1) ?? root;
    if (line === '' || line.startsWith('#')) continue;
    if (line === '}') {
      if (open.length > 1) open.pop();
      continue;
    }
    const [, name, value = ''] = /^("(?:[^"\\]|\\.)*"|[^\s=]+)\s*=(?:\s+(.*))?$/.exec(line) ?? [];
    if (name !== undefined) {
      block.values.set(unquoted(name), value);
      continue;
    }
    const [, section, label = ''] = /^(\S+)(?:\s+(.*?))?\s*\{$/.exec(line) ?? [];
    if (section === undefined) continue;
    const inner = building(section, unquoted(label));
    block.blocks.push(inner);
    open.push(inner);
  }
  return root;
}

function building(name: string, label: string): Building {
  return { name, label, values: new Map(), blocks: [] };
}

/** A setting's value as it is printed, folded or not; `undefined` where the block doesn't have it. */
export function rawSetting(block: Block, name: string): string | undefined {
  const value = block.values.get(name);
  if (value !== undefined) return value;
  for (const inner of block.blocks) {
    if (inner.label !== '' || !name.startsWith(`${inner.name}_`)) continue;
    const found = rawSetting(inner, name.slice(inner.name.length + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A setting's value without the quotes that doveconf puts around some. */
export function setting(block: Block, name: string): string | undefined {
  const value = rawSetting(block, name);
  return value === undefined ? undefined : unquoted(value);
}

/** The blocks of a name, folded ones included. */
export function blocksOf(block: Block, name: string): readonly Block[] {
  const direct = block.blocks.filter((inner) => inner.name === name);
  const folded = block.blocks
    .filter((inner) => inner.label === '' && name.startsWith(`${inner.name}_`))
    .flatMap((inner) => blocksOf(inner, name.slice(inner.name.length + 1)));
  return [...direct, ...folded];
}

/**
 * A list of names as a block says it, without quotes undone: `mail_plugins = acl quota`, which replaces what is inherited, or
 * `mail_plugins { acl = yes }`, which adds to it and takes from it. `undefined` where it says nothing.
 */
export function listSetting(block: Block, name: string, inherited: readonly string[] = []): readonly string[] | undefined {
  const value = setting(block, name);
  const start = value === undefined ? undefined : value.split(/[\s,]+/).filter((word) => word !== '');
  const lists = blocksOf(block, name);
  if (start === undefined && lists.length === 0) return undefined;
  const names = new Set(start ?? inherited);
  for (const [key, word] of lists.flatMap(({ values }) => [...values])) {
    if (word === 'no') names.delete(key);
    else names.add(key);
  }
  return [...names];
}

/** The text in quotes, where all of it is in quotes. */
function unquoted(text: string): string {
  const [, inner] = /^"((?:[^"\\]|\\.)*)"$/s.exec(text) ?? [];
  return inner === undefined ? text : inner.replace(/\\(.)/gs, '$1');
}

/** Dovecot's sizes, such as `256 M`, `2G`, `0` or `unlimited`, in bytes: none is Infinity; `undefined` for what is no size, or not set. */
export function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text.startsWith('18446744073709551615')) return undefined;
  if (text === 'unlimited') return Number.POSITIVE_INFINITY;
  const [, digits, unit = ''] = /^(\d+)\s*([BKMGT]?)/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * 1024 ** Math.max(0, 'BKMGT'.indexOf(unit.toUpperCase() || 'B'));
}

/** The release that the head of doveconf's output names, such as `2.4.1-4`. */
export function releaseIn(text: string): string | undefined {
  return /^# (\d+\.\d+\S*)/.exec(text)?.[1];
}
