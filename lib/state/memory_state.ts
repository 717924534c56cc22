/**
 * The state of a server in memory, in the event loop that owns it.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import type { Settings } from "../settings/settings.ts";
import { AccountCounts } from "./account_counts.ts";
import { AddressCounts, type ConnectionLimits } from "./address_counts.ts";
import type { AttemptOwner } from "./attempt_owner.ts";
import type { Bans } from "./bans.ts";
import { LoginThrottle } from "./login_throttle.ts";
import type { OffenderStore } from "./offenders.ts";
import { SharedTable } from "./shared_table.ts";
import type { AccountSlot, ConnectionSlot, FailureCount, LoginAttempt, SharedState } from "./state.ts";

/** What the state obeys. */
export type MemoryStateOptions = {
  readonly limits: ConnectionLimits;
  readonly ban: Settings["ban"];
};

/** What a state in memory is given. */
export interface MemoryStateParts {
  /** An empty one, which others may be given. */
  readonly table?: SharedTable;
  /** Keeps failed logins and bans beyond the process. */
  readonly offenders?: OffenderStore | undefined;
  /** Told that they cannot be kept. Must not throw. */
  readonly onStoreFailure?: (cause: unknown) => void;
}

/** An attempt that is counted here, at once. */
export interface MemoryAttempt extends LoginAttempt {
  fail(): FailureCount;
}

/** Why a connection from an address that is banned is refused. */
export const BANNED = "Too many failed logins, try again later.";

/**
 * Counts over all event loops that have its table: control connections in all, by address (of IPv6 by /64), and before their
 * login; failed logins by address; sessions by user name, with the rates that they share. Connections that never log in have a
 * share of their own, so that they take no place from users who do.
 *
 * The others, each with an `AttachedState` over the table, obey the limits that are set here, and ask this one about failed logins.
 */
export class MemoryState implements SharedState, AttemptOwner {
  /** Where it counts. */
  readonly table: SharedTable;
  readonly #addresses: AddressCounts;
  readonly #accounts: AccountCounts;
  readonly #throttle: LoginThrottle;

  constructor({ limits, ban }: MemoryStateOptions, parts: MemoryStateParts = {}) {
    const { table = new SharedTable(), offenders: store, onStoreFailure } = parts;
    this.table = table;
    this.#addresses = new AddressCounts(table);
    this.#accounts = new AccountCounts(table);
    this.#throttle = new LoginThrottle(ban, { counts: this.#addresses, store, onStoreFailure });
    this.#throttle.configure(ban, limits);
  }

  /** Uses other options from now on, in all event loops at once; what was counted stays. */
  configure({ limits, ban }: MemoryStateOptions): void {
    this.#throttle.configure(ban, limits);
  }

  acquireConnection(host: string): ConnectionSlot | string {
    const key = this.#addresses.keyOf(host);
    const answer = this.#addresses.acquireConnection(key);
    if (answer !== undefined) return answer;
    // Looking whether the ban has ended lets the table know.
    return this.#throttle.isBanned(host) ? BANNED : this.#addresses.acquireConnection(key) ?? BANNED;
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<MemoryAttempt | undefined> {
    const attempt = await this.#throttle.beginAttempt(host, signal);
    return attempt && { ...attempt, fail: () => this.#failureCount(host, attempt.fail()) };
  }

  acquireAccount(username: string, limits: AccountLimits): AccountSlot | undefined {
    return this.#accounts.acquire(username, limits);
  }

  /** Bans, as an operator sees them. */
  get bans(): Bans {
    return this.#throttle;
  }

  isBanned(host: string): boolean {
    return this.#throttle.isBanned(host);
  }

  failAttempt(host: string): FailureCount {
    return this.#failureCount(host, this.#throttle.failAttempt(host));
  }

  wake(host: string): void {
    this.#throttle.wake(host);
  }

  #failureCount(host: string, bannedForSeconds: number | undefined): FailureCount {
    return { isBanned: this.#throttle.isBanned(host), bannedForSeconds };
  }
}
