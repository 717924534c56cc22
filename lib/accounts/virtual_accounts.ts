/**
 * Accounts kept in memory, apart from those of the operating system.
 *
 * @module
 */

import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import { resolvePathname } from "../protocol/pathname.ts";
import type { AccountOptions, AccountSource, FoundAccount } from "./account_source.ts";
import {
  ANONYMOUS,
  findPermissions,
  namesAnonymous,
  type PermissionLetter,
  type PermissionOverride,
  READ_PERMISSIONS,
} from "./permission.ts";
import type { Account, Authorizer, CertificateCredentials, Credentials } from "./authorizer.ts";
import { assertRights, PasswordAuthorizer } from "./password_authorizer.ts";
import type { HashCost } from "./password_digest.ts";
import { StoredPassword } from "./password_hash.ts";
import { distinctCosts, type PasswordVerifierOptions } from "./password_verifier.ts";

/** Options of the anonymous account. */
export interface AnonymousOptions extends AccountOptions {
  /**
   * Lets anonymous have letters of `adfmwMT`, now and by later overrides: anybody may change files then.
   *
   * @default false
   */
  readonly forceWrite?: boolean;
}

/** Options of {@linkcode VirtualAccounts}. */
export interface VirtualAccountsOptions extends PasswordVerifierOptions {
  /** Opens a home that is given as a path of the host. */
  readonly openHome: (home: string) => FileSystem;
}

/** A user of the table. Its identity tells a user from one of the same name that came after it. */
interface User extends FoundAccount {
  readonly username: string;
  readonly password: Exclude<FoundAccount["password"], string>;
  readonly home: FileSystem;
  readonly permissions: string;
  overrides: readonly PermissionOverride[];
}

/**
 * A table of users, each with a password, a home and permissions.
 *
 * Changes hold for logins that come after them; a session that is under way keeps the account it has.
 */
export class VirtualAccounts implements Authorizer, AccountSource {
  readonly #openHome: (home: string) => FileSystem;
  readonly #authorizer: PasswordAuthorizer;
  readonly #users = new Map<string, User>();
  /** The distinct costs of the users' hashes, once they are known. */
  #costs: readonly HashCost[] | undefined;

  /**
   * Makes an empty table.
   *
   * @throws {RangeError} When a bound is out of range.
   */
  constructor(options: VirtualAccountsOptions) {
    this.#openHome = options.openHome;
    this.#authorizer = new PasswordAuthorizer(this, options);
  }

  /**
   * Adds a user.
   *
   * A password that begins like `$scheme$` is taken as a hash, and must be one of scrypt, as `hashPassword()` makes it,
   * argon2id or bcrypt; any other one is clear text, of which only a digest under a random key is kept. Reading is all
   * the user may do unless `permissions` say more. The name `anonymous` may be given a password here, but nothing that
   * changes files.
   *
   * @param home A file system, or the path of a directory of the host. Whether that exists shows when it is first used.
   * @throws {TypeError} When the user exists already, or name, password or home is empty.
   * @throws {SyntaxError} When the name has control characters, the hash is unsound, a letter is unknown, or the path of
   * an override is not absolute and normalised.
   * @throws {InsecureConfigurationError} When the name is `anonymous` and a letter lets it change something.
   */
  addUser(username: string, password: string, home: string | FileSystem, options: AccountOptions = {}): void {
    this.#assertNew(username);
    if (password === "") throw new TypeError(`Cannot keep the password of ${JSON.stringify(username)}: it is empty`);
    this.#add(username, { ...options, password: new StoredPassword(password), home });
  }

  /**
   * Adds the user `anonymous`, for whom any password fits. Clients may say `ftp`, too, and both in any case, where no user
   * has that very name; the account is `anonymous` all the same.
   *
   * @param home As for {@linkcode VirtualAccounts.addUser}.
   * @throws {TypeError} When it exists already, or the home is empty.
   * @throws {SyntaxError} When a letter is unknown, or the path of an override is not absolute and normalised.
   * @throws {InsecureConfigurationError} When a letter lets it change something, without `forceWrite`.
   */
  addAnonymous(home: string | FileSystem, options: AnonymousOptions = {}): void {
    this.#assertNew(ANONYMOUS);
    this.#add(ANONYMOUS, { ...options, password: { any: true }, home });
  }

  /**
   * Removes a user: no login from now on, even of one whose password is being checked.
   *
   * @throws {TypeError} When there is no such user.
   */
  removeUser(username: string): void {
    this.#find(username, "remove");
    this.#users.delete(username);
    this.#costs = undefined;
  }

  /** Returns whether there is a user of that name. */
  hasUser(username: string): boolean {
    return this.#users.has(username);
  }

  /**
   * Sets other permissions for a directory of a user's home; what was set for the same path before is replaced.
   *
   * @param path Virtual path of the directory, absolute and normalised, with the home as `/`. It need not exist.
   * @param permissions Letters that hold there, none to close it.
   * @param options.recursive Whether it holds for all that is below, too. Otherwise only for the directory itself and
   * what is directly in it and is not a directory.
   * @throws {TypeError} When there is no such user.
   * @throws {SyntaxError} When a letter is unknown, or the path is not absolute and normalised.
   * @throws {InsecureConfigurationError} When a letter lets anonymous change something, and it was added without
   * `forceWrite`.
   */
  overridePermissions(
    username: string,
    path: string,
    permissions: string,
    options: { readonly recursive?: boolean } = {},
  ): void {
    const user = this.#find(username, "override permissions of");
    const override = { path, permissions, recursive: options.recursive ?? false };
    assertRights(username, { ...user, overrides: [override] });
    user.overrides = [...user.overrides.filter((earlier) => earlier.path !== path), override];
  }

  /**
   * Returns whether a user has a right for a path; nobody has any who is not in the table.
   *
   * @param path Virtual path, with the user's home as `/`. It need not exist.
   * @param options.signal Handed to the file system. @default {one that never aborts}
   * @throws {FileSystemError} When it depends on whether the path is a directory, and the file system does not tell.
   */
  async hasPermission(
    username: string,
    letter: PermissionLetter,
    path: string,
    options: Partial<CallOptions> = {},
  ): Promise<boolean> {
    const user = this.#users.get(username);
    if (user === undefined) return false;
    const { signal = new AbortController().signal } = options;
    const rights = { ...user, fileSystem: user.home };
    return (await findPermissions(rights, resolvePathname("/", path), { signal })).includes(letter);
  }

  /**
   * Checks the credentials, with the same work for unknown users as for known ones.
   *
   * @returns The account, or `undefined` when the name or the password is wrong.
   * @throws {AuthorizerBusyError} When too many passwords wait to be checked already.
   * @throws The reason of `options.signal` when it aborts.
   */
  authenticate(credentials: Credentials, options: { readonly signal: AbortSignal }): Promise<Account | undefined> {
    return this.#authorizer.authenticate(credentials, options);
  }

  /**
   * Looks for a user who needs no password, since the client has shown a certificate.
   *
   * @returns The account, or `undefined` where a password is needed.
   * @throws {LoginRefusedError} When a rule of the account refuses it.
   * @throws The reason of `options.signal` when it aborts.
   */
  authorize(
    credentials: CertificateCredentials,
    options: { readonly signal: AbortSignal },
  ): Promise<Account | undefined> {
    return this.#authorizer.authorize(credentials, options);
  }

  /** Finds a user, for an authorizer over more than this table. */
  find(name: string): FoundAccount | undefined {
    return this.#users.get(name) ?? this.#anonymousBy(name);
  }

  /** The distinct costs of the hashes of all users. */
  costs(): readonly HashCost[] {
    return this.#findCosts();
  }

  #add(username: string, account: FoundAccount & Pick<User, "password">): void {
    const { home, permissions = READ_PERMISSIONS, overrides = [] } = account;
    assertRights(username, account);
    if (home === "") throw new TypeError(`Cannot add user ${JSON.stringify(username)}: the home is empty`);
    const user: User = {
      ...account,
      username,
      home: typeof home === "string" ? this.#openHome(home) : home,
      permissions,
      overrides: overrides.map((override) => ({ ...override })),
      isCurrent: () => this.#users.get(username) === user,
    };
    this.#users.set(username, user);
    this.#costs = undefined;
  }

  #anonymousBy(username: string): User | undefined {
    const user = namesAnonymous(username) ? this.#users.get(ANONYMOUS) : undefined;
    return user !== undefined && "any" in user.password ? user : undefined;
  }

  #assertNew(username: string): void {
    const user = JSON.stringify(username);
    if (username === "") throw new TypeError("Cannot add a user: the name is empty");
    if (/\p{Cc}/u.test(username)) throw new SyntaxError(`Cannot add user ${user}: the name has control characters`);
    if (this.#users.has(username)) throw new TypeError(`Cannot add user ${user}: it exists already`);
  }

  #find(username: string, action: string): User {
    const user = this.#users.get(username);
    if (!user) throw new TypeError(`Cannot ${action} user ${JSON.stringify(username)}: there is none of that name`);
    return user;
  }

  #findCosts(): readonly HashCost[] {
    if (this.#costs) return this.#costs;
    const passwords = [...this.#users.values()].map(({ password }) => password);
    const hashes = passwords.flatMap((password) => "hash" in password && password.hash ? [password.hash] : []);
    return this.#costs = distinctCosts(hashes.map(({ cost }) => cost));
  }
}
