/**
 * The authorizer most servers need: users of their own, with folders of the host as homes.
 *
 * @module
 */

import type { PasswordVerifierLimits } from "../accounts/password_verifier.ts";
import { VirtualAccounts } from "../accounts/virtual_accounts.ts";
import { homeOpener } from "../filesystem/local/mounted_filesystem.ts";
import { WriteClaims } from "../filesystem/write_claims.ts";
import { refuseRiskyHome } from "./home_risks.ts";
import type { RiskId } from "../settings/risks.ts";

/** Options of {@linkcode VirtualAuthorizer}. */
export interface VirtualAuthorizerOptions extends PasswordVerifierLimits {
  /**
   * Ids of the risks of homes that are accepted: `"root-directory-home"`, `"home-writable-by-others"`. A folder that has one
   * which is not accepted is refused when its user is added; so it is looked at then, if it is there.
   *
   * @default {[]}
   */
  readonly acceptRisks?: readonly RiskId[];
}

/**
 * A table of users, each with a password, a home and permissions. Homes are folders of the host, or file systems of the
 * program's own; those that overlap see each other's uploads, so that no file is written by two at once.
 *
 * @example
 * ```ts
 * import { VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const authorizer = new VirtualAuthorizer();
 * authorizer.addUser("alice", "12345", "/srv/ftp/alice", { permissions: "elradfmwMT" });
 * authorizer.overridePermissions("alice", "/archive", "elr", { recursive: true });
 * authorizer.addAnonymous("/srv/ftp/pub");
 * ```
 */
export class VirtualAuthorizer extends VirtualAccounts {
  /**
   * Makes an authorizer without users.
   *
   * @throws {RangeError} When a limit is out of range.
   */
  constructor({ acceptRisks = [], ...limits }: VirtualAuthorizerOptions = {}) {
    const writeClaims = new WriteClaims();
    const openHome = homeOpener(writeClaims);
    const openSafeHome = (home: string) => {
      refuseRiskyHome(home, acceptRisks);
      return openHome(home);
    };
    super({ ...limits, openHome: openSafeHome });
  }
}
