/**
 * The counts of a server in the event loop that owns them.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import { type BanOptions, LoginThrottle } from "../accounts/login_throttle.ts";
import type {
  AccountSlot,
  ConnectionSlot,
  FailureCount,
  LoginAttempt,
  SharedCounts,
} from "../control/shared_counts.ts";
import { AccountUsage } from "./account_usage.ts";
import { ConnectionLimits, type ConnectionLimitsOptions } from "./limits.ts";

/** What the counts obey. */
export interface LocalCountsOptions {
  readonly limits: ConnectionLimitsOptions;
  readonly ban: BanOptions;
}

/** An attempt that is counted here, at once. */
export interface LocalAttempt extends LoginAttempt {
  fail(): FailureCount;
}

const BANNED = "Too many failed logins, try again later.";

/** Counts what happens here, and what other event loops tell. */
export class LocalCounts implements SharedCounts {
  readonly #limits: ConnectionLimits;
  readonly #throttle: LoginThrottle;
  readonly #accounts = new AccountUsage();

  /** @throws {RangeError} When an option is out of range. */
  constructor({ limits, ban }: LocalCountsOptions) {
    this.#limits = new ConnectionLimits(limits);
    this.#throttle = new LoginThrottle(ban);
  }

  /**
   * Uses other options from now on; what was counted stays.
   *
   * @throws {RangeError} When an option is out of range; nothing has changed then.
   */
  configure({ limits, ban }: LocalCountsOptions): void {
    this.#throttle.configure(ban);
    this.#limits.configure(limits);
  }

  acquireConnection(host: string): ConnectionSlot | string {
    return this.#throttle.isBanned(host) ? BANNED : this.#limits.refusal(host) ?? this.#limits.count(host);
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<LocalAttempt | undefined> {
    const attempt = await this.#throttle.beginAttempt(host, signal);
    if (attempt === undefined) return undefined;
    return {
      ...attempt,
      fail: () => {
        const bannedForSeconds = attempt.fail();
        return { isBanned: this.#throttle.isBanned(host), bannedForSeconds };
      },
    };
  }

  acquireAccount(username: string, limits: AccountLimits): AccountSlot | undefined {
    return this.#accounts.enter(username, limits);
  }
}
