import { type BerWriter, Client, Control, type Filter, PagedResultsControl } from 'ldapts';
import { Entry, type ValueRange } from './entry.js';
import { bindError, LdapError } from './errors.js';
import { ANYTHING } from './filter.js';
import type { Transport } from './socket.js';

/** Who to be. The password is asked for at each opening, so that a changed file counts from then on. */
export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'external' }
  | { readonly kind: 'simple'; readonly dn: string; readonly password: () => string };

export interface SearchRequest {
  readonly base: string;
  readonly scope: 'base' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Stop at this many entries: for a look whether there are any. */
  readonly atMost?: number;
}

export interface SearchResult {
  readonly entries: readonly Entry[];
  /** Where the server says that more may be found (RFC 4511, 4.5.3); nobody goes there. */
  readonly references: readonly string[];
}

/** Entries of one page: not more than any server's limit is likely to be. */
const PAGE_SIZE = 200;

/** A client that speaks over this socket and no other: ldapts would open a new one when it is gone, unbound and in plain text. */
export function clientOn(transport: Transport): Client {
  let taken = false;
  const client = new Client({
    url: 'ldap://localhost',
    createConnection: () => {
      if (taken || transport.readyState !== 'open') throw new Error('the connection is closed');
      taken = true;
      return transport;
    },
  });
  // Behind a message that it can't parse ldapts drops what else had arrived: answers that others would wait for.
  parserOf(client).on('error', () => transport.destroy());
  return client;
}

/** ldapts gives no other way to its parser's errors and to the controls of a response. */
function parserOf(client: Client): Client['messageParser'] {
  // biome-ignore lint/complexity/useLiteralKeys: TypeScript lets private fields be read in this way alone
  return client['messageParser'];
}

/** @throws BindRefused, and any other error for a server that can't bind anybody */
export async function bind(client: Client, credentials: Credentials): Promise<void> {
  const password = credentials.kind === 'simple' ? credentials.password() : '';
  try {
    if (credentials.kind === 'external') await client.bindSASL('EXTERNAL');
    // Sent for nobody too, though the protocol doesn't ask for it: a server that allows no anonymous access says so here.
    else await client.bind(credentials.kind === 'simple' ? credentials.dn : '', password);
  } catch (error) {
    throw bindError(error, describe(credentials));
  }
}

/** Who we are, without the password. */
export function describe(credentials: Credentials): string {
  if (credentials.kind === 'anonymous') return 'anonymously';
  return credentials.kind === 'external' ? 'by SASL EXTERNAL' : `as "${credentials.dn}"`;
}

/** ldapts looks by this list which attributes are to be bytes, comparing their case: all are. */
class Every extends Array<string> {
  override includes(): boolean {
    return true;
  }
}
const AS_BYTES: string[] = new Every();

/** One search, or one page of it; `timeLimit` is in milliseconds. @throws any error of ldapts */
export async function searchOn(client: Client, request: SearchRequest, timeLimit: number, page?: Control): Promise<SearchResult> {
  const { base, scope, filter, attributes, atMost = 0 } = request;
  const { searchEntries, searchReferences } = await client.search(
    base,
    // Where it isn't asked for, no size limit of ours: ldapts takes one that is reached for success. The server's own is an error, as it should be.
    {
      scope,
      filter,
      attributes: [...attributes],
      explicitBufferAttributes: AS_BYTES,
      sizeLimit: atMost,
      timeLimit: Math.ceil(timeLimit / 1000),
    },
    page,
  );
  return { entries: searchEntries.map((entry) => new Entry(entry)), references: searchReferences };
}

/** Asks for a page (RFC 2696). */
class PageRequest extends Control {
  readonly #page: PagedResultsControl;

  constructor(cookie: Buffer | undefined) {
    super(PagedResultsControl.type, { critical: true });
    this.#page = new PagedResultsControl({ value: { size: PAGE_SIZE, ...(cookie && { cookie }) } });
  }

  protected override writeControl(writer: BerWriter): void {
    this.#page.writeControl(writer);
  }
}

/** All pages of one search, of which a connection has one at a time. ldapts' own paging stops at an empty page, though another one may follow. */
export async function searchByPages(client: Client, search: (page: Control) => Promise<SearchResult>): Promise<SearchResult> {
  const pages: SearchResult[] = [];
  let cookie: Buffer | undefined;
  const listen = ({ controls = [] }: { readonly controls?: readonly Control[] }): void => {
    for (const control of controls) if (control instanceof PagedResultsControl) cookie = control.value?.cookie;
  };
  parserOf(client).on('message', listen);
  try {
    do pages.push(await search(new PageRequest(cookie)));
    while (cookie !== undefined && cookie.length > 0);
  } finally {
    parserOf(client).off('message', listen);
  }
  return { entries: pages.flatMap(({ entries }) => entries), references: pages.flatMap(({ references }) => references) };
}

/**
 * All values of an attribute, also where the server gives them in portions: Active Directory does so from 1,500 values on, and then the attribute
 * itself looks empty ([MS-ADTS] 3.1.1.3.1.3.3).
 * @throws LdapError when a portion doesn't come
 */
export async function allValues(
  search: (request: SearchRequest) => Promise<Pick<SearchResult, 'entries'>>,
  entry: Entry,
  attribute: string,
): Promise<readonly Buffer[]> {
  let part: ValueRange | undefined = entry.range(attribute);
  if (part === undefined) return entry.bytes(attribute);
  const values: Buffer[] = [];
  let from = 0;
  for (;;) {
    if (part?.start !== from || (part.next !== undefined && !(part.next > from))) {
      throw new LdapError(`"${entry.dn}": the server gives the first ${from} values of ${attribute}, and no more`, 'deny');
    }
    values.push(...part.values);
    if (part.next === undefined) return values;
    from = part.next;
    const attributes = [`${attribute};range=${from}-*`];
    part = (await search({ base: entry.dn, scope: 'base', filter: ANYTHING, attributes })).entries[0]?.range(attribute);
  }
}
