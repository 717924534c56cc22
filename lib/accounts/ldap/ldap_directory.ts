/**
 * One server of a directory, and what a login asks it.
 *
 * @module
 */

import { abortable } from "../../deadline.ts";
import type { AccountEntry } from "../account_entries.ts";
import { type Credentials, LoginRefusedError } from "../authorizer.ts";
import { randomText } from "../decoy.ts";
import { refusalOf } from "./bind_refusal.ts";
import { type LdapAddress, LdapConnection, type LdapEntry, LdapResultError } from "./ldap_connection.ts";
import { attributesOf, type LdapMeaning, MEMBER_OF, nameOf, toAccountEntry } from "./ldap_entry.ts";
import { escapeDnValue, fillDn, fillFilter } from "./ldap_escaping.ts";
import { LdapPool } from "./ldap_pool.ts";

/** How the entry of a user is found. */
export interface LdapQuestion {
  /** The account that searches; absent: nobody has to log in for that. */
  readonly bindDn?: string | undefined;
  /** File with its password. */
  readonly bindPasswordFile?: string | undefined;
  /** The entry, where names tell it; absent: it is searched first. */
  readonly userDn?: string | undefined;
  readonly searchBase?: string | undefined;
  readonly searchFilter?: string | undefined;
  readonly groupBase?: string | undefined;
  /** @default {"(member={dn})"} */
  readonly groupFilter?: string | undefined;
}

/** What a directory is asked with. */
export interface LdapDirectoryOptions extends LdapQuestion, LdapMeaning {
  /** Most connections that are kept without use, of each kind. */
  readonly maxIdle: number;
}

const SIZE_LIMIT_EXCEEDED = 4;
const NO_SUCH_OBJECT = 32;
/** Most groups that a user can be in. */
const MAX_GROUPS = 1000;
const DEFAULT_GROUP_FILTER = "(member={dn})";

/** Asks one server, until it is disposed of. */
export class LdapDirectory implements Disposable {
  readonly #options: LdapDirectoryOptions;
  /** Those that search. */
  readonly #searchers: LdapPool;
  /** Those that prove passwords. Each use begins with a bind, so nothing is done as who came before. */
  readonly #binders: LdapPool;

  constructor(address: LdapAddress, options: LdapDirectoryOptions) {
    this.#options = options;
    const { maxIdle } = options;
    this.#searchers = new LdapPool({ maxIdle, open: (signal) => this.#openSearcher(address, signal) });
    this.#binders = new LdapPool({ maxIdle, open: (signal) => LdapConnection.open(address, signal) });
  }

  /**
   * Finds and checks an account.
   *
   * @throws {LoginRefusedError | AccountRowError} When there is one that may not log in.
   * @throws {Error} When the server has not answered, or not this question.
   */
  async login(credentials: Credentials, signal: AbortSignal): Promise<AccountEntry | undefined> {
    const { userDn } = this.#options;
    if (userDn !== undefined) return await this.#loginAs(fillDn(userDn, credentials.username), credentials, signal);
    const entry = await this.#find(credentials.username, signal);
    // A name that is not there takes the bind of one that is.
    const dn = entry?.dn ?? `cn=${escapeDnValue(randomText(16))},${this.#options.searchBase}`;
    const account = await this.#binders.use(async (connection) => {
      if (!await tryToBind(connection, dn, credentials.password, signal) || entry === undefined) return undefined;
      return await this.#toAccount(entry, credentials.username, { connection, signal });
    }, signal);
    return account;
  }

  /** Lets an entry prove itself, and then say what it is. */
  async #loginAs(dn: string, { username, password }: Credentials, signal: AbortSignal) {
    return await this.#binders.use(async (connection) => {
      if (!await tryToBind(connection, dn, password, signal)) return undefined;
      const { searchFilter } = this.#options;
      const entry = searchFilter === undefined
        ? await ifThere(this.#readSelf(connection, dn, signal))
        : await ifThere(this.#search(connection, username, signal));
      if (entry === undefined) throw new LoginRefusedError("its entry in the directory cannot be found");
      // Names that are no entry, as those of Active Directory, may be found elsewhere: it has to be the one that came in.
      if (searchFilter !== undefined && !await tryToBind(connection, entry.dn, password, signal)) {
        throw new LoginRefusedError("the search finds another entry than came in");
      }
      return await this.#toAccount(entry, username, { connection, signal });
    }, signal);
  }

  async #readSelf(connection: LdapConnection, dn: string, signal: AbortSignal): Promise<LdapEntry | undefined> {
    const search = { base: dn, scope: "base", attributes: attributesOf(this.#options), sizeLimit: 1 } as const;
    const [entry] = await connection.search(search, signal);
    return entry;
  }

  async #find(name: string, signal: AbortSignal): Promise<LdapEntry | undefined> {
    return await this.#searchers.use((connection) => this.#search(connection, name, signal), signal);
  }

  /** @throws {LoginRefusedError} When there are several. */
  async #search(connection: LdapConnection, name: string, signal: AbortSignal): Promise<LdapEntry | undefined> {
    const { searchBase = "", searchFilter = "" } = this.#options;
    const filter = fillFilter(searchFilter, { name });
    const attributes = attributesOf(this.#options);
    try {
      const entries = await connection.search(
        { base: searchBase, scope: "sub", filter, attributes, sizeLimit: 2 },
        signal,
      );
      if (entries.length > 1) throw new LoginRefusedError("the directory has several entries for the name");
      return entries[0];
    } catch (error) {
      if (!(error instanceof LdapResultError) || error.code !== SIZE_LIMIT_EXCEEDED) throw error;
      throw new LoginRefusedError("the directory has several entries for the name");
    }
  }

  async #toAccount(
    entry: LdapEntry,
    asked: string,
    { connection, signal }: { readonly connection: LdapConnection; readonly signal: AbortSignal },
  ): Promise<AccountEntry> {
    const name = nameOf(entry, asked, this.#options);
    const memberOf = await this.#groupsOf(entry, name, { connection, signal });
    return toAccountEntry(entry, name, { ...this.#options, memberOf });
  }

  async #groupsOf(
    entry: LdapEntry,
    name: string,
    { connection, signal }: { readonly connection: LdapConnection; readonly signal: AbortSignal },
  ): Promise<readonly string[]> {
    const { groupBase: base, groupFilter = DEFAULT_GROUP_FILTER, groups, userDn } = this.#options;
    if (groups === undefined) return [];
    if (base === undefined) return entry.attributes.get(MEMBER_OF.toLowerCase()) ?? [];
    const filter = fillFilter(groupFilter, { name, dn: entry.dn });
    const search = { base, scope: "sub", filter, attributes: ["1.1"], sizeLimit: MAX_GROUPS } as const;
    const find = async (searcher: LdapConnection) => (await searcher.search(search, signal)).map(({ dn }) => dn);
    return userDn === undefined ? await this.#searchers.use(find, signal) : await find(connection);
  }

  async #openSearcher(address: LdapAddress, signal: AbortSignal): Promise<LdapConnection> {
    const { bindDn, bindPasswordFile } = this.#options;
    const connection = await LdapConnection.open(address, signal);
    if (bindDn === undefined || bindPasswordFile === undefined) return connection;
    try {
      const [password = ""] = (await abortable(Deno.readTextFile(bindPasswordFile), signal)).split(/\r?\n/);
      await connection.bind(bindDn, password, signal);
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error instanceof LdapResultError ? new Error(`bindDn cannot log in: ${error.message}`) : error;
    }
  }

  [Symbol.dispose](): void {
    this.#searchers[Symbol.dispose]();
    this.#binders[Symbol.dispose]();
  }
}

/** Users may not see that there is what they may not read. */
async function ifThere(entry: Promise<LdapEntry | undefined>): Promise<LdapEntry | undefined> {
  try {
    return await entry;
  } catch (error) {
    if (error instanceof LdapResultError && error.code === NO_SUCH_OBJECT) return undefined;
    throw error;
  }
}

/**
 * Returns whether the password is that of the entry.
 *
 * @throws {LoginRefusedError} When it may not come in for another reason.
 */
async function tryToBind(
  connection: LdapConnection,
  dn: string,
  password: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await connection.bind(dn, password, signal);
    return true;
  } catch (error) {
    if (!(error instanceof LdapResultError)) throw error;
    const refusal = refusalOf(error);
    if (refusal === undefined) throw new Error(`it does not check the password: ${error.message}`);
    if (refusal === "wrong") return false;
    throw refusal;
  }
}
