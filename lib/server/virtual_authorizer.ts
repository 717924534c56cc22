/**
 * The authorizer most servers need: users of their own, with folders of the host as homes.
 *
 * @module
 */

import type { PasswordVerifierLimits } from "../auth/password_verifier.ts";
import { VirtualAccounts } from "../auth/virtual_accounts.ts";
import { openHome } from "../filesystem/local_home.ts";
import { WriteClaims } from "../filesystem/write_claims.ts";

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
  constructor(options: PasswordVerifierLimits = {}) {
    const writeClaims = new WriteClaims();
    super({ ...options, openHome: (home) => openHome(home, writeClaims) });
  }
}
