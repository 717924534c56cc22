/**
 * The state of a server in memory, in an event loop that does not own it.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import type { MaybePromise } from "../shared_port.ts";
import { AccountCounts } from "./account_counts.ts";
import { AddressCounts } from "./address_counts.ts";
import type { AttemptOwner } from "./attempt_owner.ts";
import { createAttempt } from "./login_throttle.ts";
import { BANNED } from "./memory_state.ts";
import type { SharedTable } from "./shared_table.ts";
import type { AccountSlot, ConnectionSlot, FailureCount, LoginAttempt, SharedState } from "./state.ts";
import type { TableKey } from "./table_records.ts";

/**
 * Counts in the memory of a `MemoryState`, and asks that only about addresses that are banned or would have to wait, and where a
 * login has failed.
 */
export class AttachedState implements SharedState {
  readonly #addresses: AddressCounts;
  readonly #accounts: AccountCounts;
  readonly #owner: AttemptOwner;

  /**
   * @param table That of the owner.
   * @param owner What it rejects with says that it is out of reach.
   */
  constructor(table: SharedTable, owner: AttemptOwner) {
    this.#addresses = new AddressCounts(table);
    this.#accounts = new AccountCounts(table);
    this.#owner = owner;
  }

  acquireConnection(host: string): MaybePromise<ConnectionSlot | string> {
    const key = this.#addresses.keyOf(host);
    return this.#addresses.acquireConnection(key) ?? this.#acquireAfterBan(host, key);
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const key = this.#addresses.keyOf(host);
    return this.#addresses.beginAttempt(key) ? this.#attempt(host, key) : await this.#owner.beginAttempt(host, signal);
  }

  acquireAccount(username: string, limits: AccountLimits): AccountSlot | undefined {
    return this.#accounts.acquire(username, limits);
  }

  /** The owner lets the table know when a ban has ended. */
  async #acquireAfterBan(host: string, key: TableKey): Promise<ConnectionSlot | string> {
    if (await this.#owner.isBanned(host)) return BANNED;
    return this.#addresses.acquireConnection(key) ?? BANNED; // again, by now
  }

  #attempt(host: string, key: TableKey): LoginAttempt {
    const attempt = createAttempt<MaybePromise<FailureCount>>({
      giveBack: () => this.#addresses.endAttempt(key, () => this.#wake(host)),
      fail: () => this.#owner.failAttempt(host),
    });
    return {
      giveBack: attempt.giveBack,
      fail: () => attempt.fail() ?? { isBanned: false, bannedForSeconds: undefined },
      [Symbol.dispose]: () => this.#unheard(() => attempt.fail()),
    };
  }

  #wake(host: string): void {
    this.#unheard(() => this.#owner.wake(host));
  }

  /** An owner that is out of reach has ended, and with it who waits there and all that counts. */
  #unheard(tell: () => unknown): void {
    Promise.try(tell).catch(() => {});
  }
}
