/**
 * What sets the user `anonymous` apart (RFC 1635): any password fits, and writing has to be asked for by name.
 *
 * @module
 */

import { InsecureConfigurationError } from "./insecure_configuration_error.ts";
import { WRITE_PERMISSIONS } from "./permission.ts";

/** Name of the user whose password may be anything. */
export const ANONYMOUS = "anonymous";

/** Returns whether clients mean anonymous by a name: `anonymous` or `ftp` (RFC 1635 §1), in any case. */
export function namesAnonymous(username: string): boolean {
  return /^(?:anonymous|ftp)$/i.test(username);
}

/**
 * Checks that permissions meant for anonymous change nothing.
 *
 * @throws {InsecureConfigurationError} Risk `"anonymous-write"` when a letter lets anonymous change something.
 */
export function assertAnonymousReadOnly(permissions: string): void {
  const writing = [...WRITE_PERMISSIONS].filter((letter) => permissions.includes(letter));
  if (writing.length === 0) return;
  const advice = writing.length === 1 ? "lets anybody write; remove it" : "let anybody write; remove them";
  throw new InsecureConfigurationError(
    "anonymous-write",
    `Cannot give ${ANONYMOUS} the permissions "${permissions}": "${writing.join('", "')}" ${advice}, or set forceWrite`,
  );
}
