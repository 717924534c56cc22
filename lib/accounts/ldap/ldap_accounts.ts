/**
 * Accounts in a directory: LDAP, Active Directory.
 *
 * Who knows the password of an entry is let in: the directory checks it, by a bind as that entry. What it says is told from what it
 * does not say: only a wrong name or password is a failed login, all else is no answer. Its servers are asked in their order, the
 * next where one does not answer.
 *
 * @module
 */

import type { CallOptions } from "../../filesystem/filesystem.ts";
import { addressBlock } from "../../protocol/host_port.ts";
import { type AccountEntry, AccountRowError, type EntryLogin } from "../account_entries.ts";
import { AuthorizerBusyError, type Credentials, LoginRefusedError } from "../authorizer.ts";
import { CircuitBreaker, type CircuitBreakerOptions } from "../circuit_breaker.ts";
import { decoyOf } from "../decoy.ts";
import { runInPlace, WorkQueue } from "../work_queue.ts";
import { describeFailure, type LdapAddress } from "./ldap_connection.ts";
import type { LdapMeaning } from "./ldap_entry.ts";
import { LdapDirectory, type LdapQuestion } from "./ldap_directory.ts";
import { isDirectoryName, isDirectoryText } from "./ldap_escaping.ts";

/** A directory as a configuration has it. */
export interface LdapAccountsOptions extends LdapMeaning, LdapQuestion, CircuitBreakerOptions {
  /** Its servers, at least one. */
  readonly addresses: readonly LdapAddress[];
  /**
   * Longest time that one of them has for a login, in seconds.
   *
   * @default 5
   */
  readonly timeout?: number | undefined;
}

const DEFAULT_TIMEOUT_SECONDS = 5;
/** How many logins are checked at once, and how many more wait. */
const MAX_RUNNING = 8;
const MAX_WAITING = 512;
const AWAY = "The directory with the accounts cannot be asked";

interface Server {
  readonly directory: LdapDirectory;
  readonly breaker: CircuitBreaker;
  readonly name: string;
}

/** Asks a directory, until it is disposed of. */
export class LdapAccounts implements EntryLogin, Disposable {
  readonly #timeoutMs: number;
  readonly #servers: readonly Server[];
  readonly #places = new WorkQueue({ maxRunning: MAX_RUNNING, maxWaiting: MAX_WAITING });

  constructor(options: LdapAccountsOptions) {
    this.#timeoutMs = (options.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
    this.#servers = options.addresses.map((address) => ({
      directory: new LdapDirectory(address, { ...options, maxIdle: MAX_RUNNING }),
      breaker: new CircuitBreaker(options),
      name: `${address.host}:${address.port}`,
    }));
  }

  /** See {@linkcode EntryLogin.login}. */
  async login(credentials: Credentials, { signal }: CallOptions): Promise<AccountEntry | undefined> {
    const { username, password, remoteHost } = credentials;
    // What no directory can have takes the time of what it does not have, and lets nobody in.
    const canBe = isDirectoryName(username) && isDirectoryText(password) && password !== "";
    const asked = canBe ? credentials : decoyOf(credentials);
    const how = { signal, owner: addressBlock(remoteHost) };
    const entry = await runInPlace(this.#places, () => this.#askInOrder(asked, signal), how);
    return canBe ? entry : undefined;
  }

  async #askInOrder(credentials: Credentials, signal: AbortSignal): Promise<AccountEntry | undefined> {
    const failures: string[] = [];
    for (const { directory, breaker, name } of this.#servers) {
      if (!breaker.mayAsk()) {
        failures.push(`${name}: it has not answered`);
        continue;
      }
      try {
        const entry = await this.#ask(directory, credentials, signal);
        breaker.succeed();
        return entry;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof LoginRefusedError || error instanceof AccountRowError) {
          breaker.succeed();
          throw error;
        }
        breaker.fail();
        failures.push(`${name}: ${describeFailure(error)}`);
      }
    }
    throw new AuthorizerBusyError(AWAY, { isOutage: true, cause: failures.join("; ") });
  }

  async #ask(
    directory: LdapDirectory,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<AccountEntry | undefined> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`no answer within ${this.#timeoutMs / 1000} s`)),
      this.#timeoutMs,
    );
    try {
      return await directory.login(credentials, AbortSignal.any([signal, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    for (const { directory } of this.#servers) directory[Symbol.dispose]();
  }
}
