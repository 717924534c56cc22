/**
 * When, from where and with which certificates an account may be used.
 *
 * @module
 */

import { type AddressRange, isInRange, parseAddressRange } from "../protocol/address_range.ts";
import { isTimeZone, isWithinHours, parseWeeklyHours, wallTimeIn, type WeeklyHours } from "../weekly_hours.ts";
import type { Credentials } from "./authorizer.ts";
import type { CertificateDemand } from "./certificate_demand.ts";

/** Rules of an account; what is absent restricts nothing. */
export interface AccountRuleOptions {
  /** The first moment at which the account has expired. */
  readonly expires?: Date | undefined;
  /** Addresses and networks, such as `203.0.113.0/24`, from which it may be used. */
  readonly addresses?: readonly string[] | undefined;
  /** When it may be used, such as `Mo-Fr 08:00-18:00`. */
  readonly hours?: readonly string[] | undefined;
  /** Its certificates. */
  readonly certificates?: CertificateDemand | undefined;
  /** Name of the time zone of `hours`. @default {"UTC"} */
  readonly timezone?: string | undefined;
}

/**
 * The rules of one account, read.
 *
 * @example
 * ```ts
 * import { AccountRules, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const rules = new AccountRules({ addresses: ["192.0.2.0/24"], hours: ["Mo-Fr 08:00-18:00"], timezone: "Europe/Berlin" });
 * new VirtualAuthorizer().addUser("alice", "12345", "/srv/ftp/alice", { rules });
 * ```
 */
export class AccountRules {
  readonly #expires: number;
  readonly #addresses: readonly AddressRange[] | undefined;
  readonly #hours: readonly WeeklyHours[] | undefined;
  readonly #timezone: string;
  readonly #certificates: CertificateDemand | undefined;

  /**
   * Reads rules.
   *
   * @throws {SyntaxError} When an address, an hour or the time zone is none.
   */
  constructor({ expires, addresses, hours, certificates, timezone = "UTC" }: AccountRuleOptions) {
    this.#expires = expires?.getTime() ?? Infinity;
    if (Number.isNaN(this.#expires)) throw new SyntaxError("Cannot use the rules of an account: expires is no date");
    this.#addresses = addresses?.map((text) => parseAddressRange(text) ?? refuse("an address", text));
    this.#hours = hours?.map((text) => parseWeeklyHours(text) ?? refuse("hours", text));
    if (!isTimeZone(timezone)) refuse("a time zone", timezone);
    this.#timezone = timezone;
    this.#certificates = certificates;
  }

  /** Returns why nobody may log in to the account with these credentials now; for the log alone. */
  refusal({ remoteHost, tls }: Pick<Credentials, "remoteHost" | "tls">, now: Date): string | undefined {
    if (this.#addresses?.some((range) => isInRange(remoteHost, range)) === false) {
      return "the account is not used from this address";
    }
    return this.ending(now) ?? this.#certificates?.refusal(tls?.peerCertificate);
  }

  /** Returns whether the client needs no password, since it has shown a certificate of the account. */
  replacePassword({ tls }: Pick<Credentials, "tls">): boolean {
    return this.#certificates?.replacesPassword(tls?.peerCertificate) === true;
  }

  /** Returns why no session of the account may go on now. */
  ending(now: Date): string | undefined {
    if (now.getTime() >= this.#expires) return "the account has expired";
    const isOpen = this.#hours === undefined || isWithinHours(this.#hours, wallTimeIn(this.#timezone, now));
    return isOpen ? undefined : "the account is not used at this hour";
  }
}

function refuse(wanted: string, text: string): never {
  throw new SyntaxError(`Cannot use the rules of an account: ${JSON.stringify(text)} is not ${wanted}`);
}
